#!/usr/bin/env python3
"""A second implementation of sealed cells and key slots, from the formats in
client-lib/seal/sealer.h and key_slots.h and from RFC 8439 and the XChaCha draft alone:
its ChaCha20 and Poly1305 are its own, BLAKE2b is Python's.

    tests/conformance/sealed_cells.py    prints the vectors that tests/unit/seal reads
"""

import hashlib
import struct

MASK = 0xFFFFFFFF


def quarter(s, a, b, c, d):
    for x, y, z, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[x] = (s[x] + s[y]) & MASK
        s[z] ^= s[x]
        s[z] = ((s[z] << by) | (s[z] >> (32 - by))) & MASK


def rounds(state):
    mixed = list(state)
    for _ in range(10):
        for at in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                   (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(mixed, *at)
    return mixed


def start(key, rest):
    return list(struct.unpack("<4I", b"expand 32-byte k")) + list(struct.unpack("<8I", key)) + list(struct.unpack("<4I", rest))


def hchacha20(key, nonce16):
    mixed = rounds(start(key, nonce16))
    return struct.pack("<8I", *(mixed[:4] + mixed[12:]))


def chacha20(key, counter, nonce12, data):
    out = bytearray()
    for block in range(0, len(data), 64):
        state = start(key, struct.pack("<I", counter + block // 64) + nonce12)
        stream = struct.pack("<16I", *((a + b) & MASK for a, b in zip(state, rounds(state))))
        out += bytes(a ^ b for a, b in zip(data[block:block + 64], stream))
    return bytes(out)


def poly1305(key, message):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(message), 16):
        total = (total + int.from_bytes(message[at:at + 16] + b"\x01", "little")) * r % ((1 << 130) - 5)
    return ((total + int.from_bytes(key[16:], "little")) & ((1 << 128) - 1)).to_bytes(16, "little")


def padded(data):
    return data + bytes(-len(data) % 16)


def xchacha20poly1305(key, nonce, plain, associated):
    key, nonce = hchacha20(key, nonce[:16]), bytes(4) + nonce[16:]
    sealed = chacha20(key, 1, nonce, plain)
    covered = padded(associated) + padded(sealed) + struct.pack("<QQ", len(associated), len(sealed))
    return sealed + poly1305(chacha20(key, 0, nonce, bytes(64))[:32], covered)


def row_key(data_key):
    return hashlib.blake2b(b"", digest_size=32, key=data_key, salt=struct.pack("<QQ", 1, 0),
                           person=b"fldsync1" + bytes(8)).digest()


def cell(data_key, store, place, row, revision, nonce, content):
    plain = struct.pack("<I", len(content)) + content
    plain += bytes(-len(plain) % 64)  # under 1 KiB
    associated = b"fieldsync-cell1" + store + bytes([place]) + struct.pack("<Q", revision) + row
    return b"\x01" + struct.pack("<Q", revision) + nonce + xchacha20poly1305(row_key(data_key), nonce, plain, associated)


def hardware_slot(data_key, store, hardware_key, salt, nonce):
    header = b"\x01\x02" + struct.pack("<IQ", 0, 0) + salt
    wrapping = hashlib.blake2b(b"fieldsync-kek1" + bytes(32) + salt, digest_size=32, key=hardware_key).digest()
    commitment = hashlib.blake2b(b"fieldsync-commit1" + nonce, digest_size=32, key=wrapping).digest()
    return header + nonce + xchacha20poly1305(wrapping, nonce, data_key, store + header) + commitment


if __name__ == "__main__":
    nonce = bytes(range(24))
    print("cell:", cell(bytes([1] * 32), bytes([2] * 16), 9, b"row", 258, nonce, "Камера 4: no window.".encode()).hex())
    print("slot:", hardware_slot(bytes([1] * 32), bytes([2] * 16), bytes([3] * 32), bytes(range(16)), nonce).hex())
