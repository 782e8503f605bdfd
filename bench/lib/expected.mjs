/** What a complete run adds up to. Message n starts with the byte n % period, and the period is 256 unless told. */

/** Sum of the first bytes of messages 0 to count - 1. */
export function checksumOf(count, period = 256) {
  const rest = count % period;
  return Math.floor(count / period) * ((period * (period - 1)) / 2) + (rest * (rest - 1)) / 2;
}

/** One payload for each first byte, so that no sender writes into memory it has already handed over. */
export function makePayloads(size, { count = 256, shared = false } = {}) {
  return Array.from({ length: Math.min(256, count) }, (_, first) => {
    // Written to: memory that never was is one and the same page of zeros, which no other memory is as quick as.
    const payload = shared ? Buffer.from(new SharedArrayBuffer(size)).fill(0x5a) : Buffer.alloc(size, 0x5a);
    payload[0] = first;
    return payload;
  });
}

/** Throws unless the process moved every message, byte for byte as far as the checksum tells. */
export function verifyRun(label, result, count, size, { frames = 1, period = 256 } = {}) {
  const expected = { count, checksum: checksumOf(count, period), bytes: count * size * frames };
  for (const [key, value] of Object.entries(expected)) {
    if (result[key] !== value) throw new Error(`${label}: ${key} is ${result[key]}, expected ${value}`);
  }
  if (!(result.seconds > 0 && result.timed > 0)) {
    throw new Error(`${label}: too short to be timed, raise --scale`);
  }
}
