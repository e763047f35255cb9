#!/usr/bin/env python3
"""Runs testssl.sh (Debian's package) against a server of this build, and fails on every finding of severity LOW or
above that is not about the test certificate, which is self-signed and of no domain.

    tools/testssl.py build/dev/bin/fieldsync-server [--keep FILE.json]
"""
import argparse
import collections
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

BAD = {"LOW", "MEDIUM", "HIGH", "CRITICAL", "FATAL"}
# What a self-signed certificate without a domain cannot have: a chain to an authority, revocation, CAA in the DNS.
OF_THE_CERTIFICATE = {"cert_chain_of_trust", "cert_revocation", "DNS_CAArecord"}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def accepts(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def findings_of(server, folder, program):
    port = free_port()
    command = [server, "--dir", str(folder / "server")]
    subprocess.run(command + ["init", "--port", str(port)], check=True, stdout=subprocess.DEVNULL)
    process = subprocess.Popen(command + ["serve"], stdout=subprocess.DEVNULL)
    try:
        while not accepts(port):
            if process.poll() is not None:
                sys.exit("the server did not start")
            time.sleep(0.01)
        out = folder / "findings.json"
        subprocess.run([program, "--quiet", "--color", "0", "--warnings", "batch", "--jsonfile", str(out), f"127.0.0.1:{port}"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        if process.poll() is not None:
            sys.exit("the server ended while it was tested")
        return json.loads(out.read_text())
    finally:
        process.terminate()
        process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--keep", help="where testssl.sh's findings are to be written")
    arguments = parser.parse_args()
    program = shutil.which("testssl") or shutil.which("testssl.sh")
    if program is None or not (shutil.which("host") or shutil.which("dig")):
        sys.exit("Install testssl.sh and bind9-host first: apt-get install testssl.sh bind9-host")
    with tempfile.TemporaryDirectory() as folder:
        findings = findings_of(arguments.server, pathlib.Path(folder), program)
    if arguments.keep:
        pathlib.Path(arguments.keep).write_text(json.dumps(findings, indent=1))
    counts = collections.Counter(one["severity"] for one in findings)
    bad = [one for one in findings if one["severity"] in BAD]
    wrong = [one for one in bad if one["id"].split(" ")[0] not in OF_THE_CERTIFICATE]
    for one in bad:
        mark = "!!" if one in wrong else "of the test certificate:"
        print(mark, one["severity"], one["id"], "-", one["finding"])
    print(f"{len(findings)} findings:", ", ".join(f"{count} {name}" for name, count in sorted(counts.items())))
    # A scan that broke off has found nothing either.
    scanned = {one["id"] for one in findings}
    missing = {"TLS1_3", "TLS1_2", "heartbleed", "cipher_order", "PFS", "HSTS_time", "RC4"} - {name.split(" ")[0] for name in scanned}
    if missing:
        sys.exit("testssl.sh did not get to: " + ", ".join(sorted(missing)))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
