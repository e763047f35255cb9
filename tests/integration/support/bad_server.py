"""A server with the office's own key that does not behave like one: bad_server.py PORT CERTIFICATE KEY MANNER.

Prints "ready" once it listens, and serves until it is killed.
"""
import socket
import ssl
import sys

HUGE_BYTES = 10 * 1024**3


def head(length):
    return (f"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: {length}\r\n\r\n").encode()


def read_request(connection):
    request = b""
    while b"\r\n\r\n" not in request:
        part = connection.recv(4096)
        if not part:
            return
        request += part


def answer(connection, manner):
    if manner == "huge_body":
        connection.sendall(head(HUGE_BYTES))
        for _ in range(HUGE_BYTES // 65536):
            connection.sendall(bytes(65536))
    elif manner == "huge_without_length":
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\n\r\n")
        while True:
            connection.sendall(bytes(65536))
    elif manner == "endless_head":
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X-More: " + b"x" * 1000 + b"\r\n")
    elif manner == "cut_before_the_last_byte":
        connection.sendall(head(100) + bytes(99))
    elif manner == "not_http":
        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    elif manner == "web_page":
        page = b"<html>Log in to the wireless network</html>"
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page))
    else:
        connection.sendall(head(0))


def main():
    port, certificate, key, manner = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if manner == "tls_1_2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    listener = socket.create_server(("127.0.0.1", port))
    print("ready", flush=True)
    while True:
        accepted, _ = listener.accept()
        try:
            with context.wrap_socket(accepted, server_side=True) as connection:
                read_request(connection)
                answer(connection, manner)
        except OSError:
            pass


main()
