/* The deterministic bytes that every test peer sends and expects. The same rule stands in
 * ../python/pattern.py and ../pattern.ts; test/peers.test.ts holds the three against each other.
 *
 *   master(x)     = (7x + 13(x >> 8) + 29(x >> 16)) & 255
 *   byte(n, k, i) = master((31n + 17k) % 65521 + i)      byte i of frame k of message n
 *   a frame of 8 bytes or more starts with n itself, as 64 bits little-endian
 *
 * The checksum is one CRC-32 (the zlib one) running over every frame in order: 4 bytes of size,
 * little-endian, one byte that is 1 when another frame follows, then the bytes. */
#ifndef PEER_PATTERN_H
#define PEER_PATTERN_H

#include <stddef.h>
#include <stdint.h>

void pattern_fill(uint8_t* to, uint64_t n, uint32_t k, size_t size);

/* The offset of the first byte that differs, or -1 when the frame is right. */
long pattern_mismatch(const uint8_t* bytes, uint64_t n, uint32_t k, size_t size);

/* The message number that a frame of 8 bytes or more carries. */
uint64_t pattern_number(const uint8_t* bytes);

uint32_t checksum_bytes(uint32_t checksum, const uint8_t* bytes, size_t size);
uint32_t checksum_frame(uint32_t checksum, const uint8_t* bytes, size_t size, int more);

#endif
