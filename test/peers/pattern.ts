/**
 * The deterministic bytes that every test peer sends and expects, and the checksum over them.
 * The rule stands in c/pattern.h; test/peers.test.ts holds the implementations against each other.
 */
import { crc32 } from 'node:zlib';

const START_MODULUS = 65521;
const NUMBER_SIZE = 8;

let master = Buffer.alloc(0);

function masterFrom(start: number, size: number): Buffer {
  const end = start + size;
  if (end > master.length) {
    const grown = Buffer.allocUnsafe(2 * end + START_MODULUS);
    master.copy(grown);
    for (let x = master.length; x < grown.length; x++) grown[x] = 7 * x + 13 * (x >> 8) + 29 * (x >> 16);
    master = grown;
  }
  return master.subarray(start, end);
}

function bodyOf(n: number, k: number, size: number): Buffer {
  return masterFrom((31 * n + 17 * k) % START_MODULUS, size);
}

/** Frame `k` of message `n`, `size` bytes long, in memory of its own. */
export function pattern(n: number, k: number, size: number): Buffer {
  const frame = Buffer.from(bodyOf(n, k, size));
  if (size >= NUMBER_SIZE) frame.writeBigUInt64LE(BigInt(n));
  return frame;
}

/** All frames of message `n`. */
export function patternMessage(n: number, sizes: readonly number[]): Buffer[] {
  return sizes.map((size, k) => pattern(n, k, size));
}

/** The message number that a frame of 8 bytes or more carries. */
export function patternNumber(frame: Uint8Array): number {
  return Number(new DataView(frame.buffer, frame.byteOffset, NUMBER_SIZE).getBigUint64(0, true));
}

/** The offset of the first byte that is not the pattern's, or -1. */
export function mismatch(frame: Uint8Array, n: number, k: number): number {
  const head = frame.length >= NUMBER_SIZE ? NUMBER_SIZE : 0;
  if (head > 0 && patternNumber(frame) !== n) return 0;
  const body = bodyOf(n, k, frame.length);
  if (Buffer.compare(frame.subarray(head), body.subarray(head)) === 0) return -1;
  for (let i = head; i < frame.length; i++) if (frame[i] !== body[i]) return i;
  return -1;
}

/** Throws unless `frames` is message `n` of the pattern, with frames of these sizes. */
export function verify(frames: readonly Uint8Array[], n: number, sizes: readonly number[]): void {
  if (frames.length !== sizes.length) {
    throw new Error(`message ${n}: ${frames.length} frames, expected ${sizes.length}`);
  }
  for (const [k, frame] of frames.entries()) {
    if (frame.length !== sizes[k]) {
      throw new Error(`message ${n} frame ${k}: ${frame.length} bytes, expected ${sizes[k]}`);
    }
    const at = mismatch(frame, n, k);
    if (at >= 0) throw new Error(`message ${n} frame ${k}: wrong byte at offset ${at}`);
  }
}

/** Adds one message to a running checksum (which starts at 0), as the peers do for their result. */
export function addToChecksum(checksum: number, frames: readonly Uint8Array[]): number {
  const head = Buffer.allocUnsafe(5);
  let sum = checksum;
  for (const [k, frame] of frames.entries()) {
    head.writeUInt32LE(frame.length);
    head[4] = k + 1 < frames.length ? 1 : 0;
    sum = crc32(frame, crc32(head, sum));
  }
  return sum;
}

/** The checksum of `count` messages of the pattern, from message `first`. */
export function patternChecksum(count: number, sizes: readonly number[], first = 0): number {
  let sum = 0;
  for (let n = first; n < first + count; n++) sum = addToChecksum(sum, patternMessage(n, sizes));
  return sum;
}
