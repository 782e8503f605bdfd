#include "pattern.h"

#include <stdlib.h>
#include <string.h>

enum { START_MODULUS = 65521, NUMBER_SIZE = 8 };

static uint8_t* master;
static size_t master_size;

static const uint8_t* master_from(uint64_t start, size_t size) {
  size_t needed = (size_t)start + size;
  if (needed > master_size) {
    size_t grown = needed * 2 + START_MODULUS;
    master = realloc(master, grown);
    if (!master) abort();
    for (size_t x = master_size; x < grown; x++)
      master[x] = (uint8_t)(7 * x + 13 * (x >> 8) + 29 * (x >> 16));
    master_size = grown;
  }
  return master + start;
}

static uint64_t frame_start(uint64_t n, uint32_t k) {
  return (31 * n + 17 * (uint64_t)k) % START_MODULUS;
}

static void number_bytes(uint8_t out[NUMBER_SIZE], uint64_t n) {
  for (int i = 0; i < NUMBER_SIZE; i++) out[i] = (uint8_t)(n >> (8 * i));
}

void pattern_fill(uint8_t* to, uint64_t n, uint32_t k, size_t size) {
  if (size == 0) return;
  memcpy(to, master_from(frame_start(n, k), size), size);
  if (size >= NUMBER_SIZE) number_bytes(to, n);
}

long pattern_mismatch(const uint8_t* bytes, uint64_t n, uint32_t k, size_t size) {
  if (size == 0) return -1;
  const uint8_t* expected = master_from(frame_start(n, k), size);
  uint8_t number[NUMBER_SIZE];
  size_t head = size >= NUMBER_SIZE ? NUMBER_SIZE : 0;
  number_bytes(number, n);
  for (size_t i = 0; i < head; i++)
    if (bytes[i] != number[i]) return (long)i;
  if (memcmp(bytes + head, expected + head, size - head) == 0) return -1;
  for (size_t i = head; i < size; i++)
    if (bytes[i] != expected[i]) return (long)i;
  return -1;
}

uint64_t pattern_number(const uint8_t* bytes) {
  uint64_t n = 0;
  for (int i = NUMBER_SIZE - 1; i >= 0; i--) n = (n << 8) | bytes[i];
  return n;
}

uint32_t checksum_bytes(uint32_t checksum, const uint8_t* bytes, size_t size) {
  static uint32_t table[256];
  if (!table[1]) {
    for (uint32_t i = 0; i < 256; i++) {
      uint32_t value = i;
      for (int bit = 0; bit < 8; bit++) value = (value >> 1) ^ (value & 1 ? 0xEDB88320u : 0);
      table[i] = value;
    }
  }
  checksum = ~checksum;
  for (size_t i = 0; i < size; i++) checksum = (checksum >> 8) ^ table[(checksum ^ bytes[i]) & 255];
  return ~checksum;
}

uint32_t checksum_frame(uint32_t checksum, const uint8_t* bytes, size_t size, int more) {
  uint8_t head[5] = {(uint8_t)size, (uint8_t)(size >> 8), (uint8_t)(size >> 16),
                     (uint8_t)(size >> 24), more ? 1 : 0};
  return checksum_bytes(checksum_bytes(checksum, head, sizeof head), bytes, size);
}
