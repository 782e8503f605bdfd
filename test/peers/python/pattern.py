"""The deterministic bytes that every test peer sends and expects: the rule stands in ../c/pattern.h."""

import zlib

START_MODULUS = 65521
NUMBER_SIZE = 8

_ROWS = [bytes((7 * x + row) & 255 for x in range(256)) for row in range(256)]
_master = b''


def _master_of(size):
    """The first bytes of master(x); rows of 256 differ by a constant only, as 7 * 256 is 0 modulo 256."""
    global _master
    if size > len(_master):
        rows = (2 * size + START_MODULUS) // 256 + 1
        _master = b''.join(_ROWS[(13 * row + 29 * (row >> 8)) & 255] for row in range(rows))
    return _master


def pattern(n, k, size):
    start = (31 * n + 17 * k) % START_MODULUS
    body = _master_of(start + size)[start:start + size]
    if size < NUMBER_SIZE:
        return body
    return n.to_bytes(NUMBER_SIZE, 'little') + body[NUMBER_SIZE:]


def mismatch(frame, n, k):
    """The offset of the first byte that differs, or -1."""
    expected = pattern(n, k, len(frame))
    if frame == expected:
        return -1
    return next(i for i in range(len(frame)) if frame[i] != expected[i])


def pattern_number(frame):
    return int.from_bytes(frame[:NUMBER_SIZE], 'little')


def checksum_frame(checksum, frame, more):
    head = len(frame).to_bytes(4, 'little') + (b'\1' if more else b'\0')
    return zlib.crc32(frame, zlib.crc32(head, checksum))
