/** What a complete run adds up to. Message n starts with the byte n & 255. */

/** Sum of the first bytes of messages 0 to count - 1. */
export function checksumOf(count) {
  const rest = count % 256;
  return Math.floor(count / 256) * ((255 * 256) / 2) + (rest * (rest - 1)) / 2;
}

/** One payload for each first byte, so that no sender writes into memory it has already handed over. */
export function makePayloads(size) {
  return Array.from({ length: 256 }, (_, first) => {
    const payload = Buffer.alloc(size);
    payload[0] = first;
    return payload;
  });
}

/** Throws unless the process moved every message, byte for byte as far as the checksum tells. */
export function verifyRun(label, result, count, size) {
  const expected = { count, checksum: checksumOf(count), bytes: count * size };
  for (const [key, value] of Object.entries(expected)) {
    if (result[key] !== value) throw new Error(`${label}: ${key} is ${result[key]}, expected ${value}`);
  }
  if (!(result.seconds > 0 && result.timed > 0)) {
    throw new Error(`${label}: too short to be timed, raise --scale`);
  }
}
