/** 256 payloads that differ in their first byte, so that a receiver notices a missing one. They are never changed. */
export function makePayloads(size) {
  return Array.from({ length: 256 }, (_, n) => {
    // Shared memory: from 16 KiB up it is sent without a copy.
    const payload = Buffer.from(new SharedArrayBuffer(size));
    payload.fill(n);
    return payload;
  });
}
