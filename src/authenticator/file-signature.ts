/**
 * Whether a file may have changed, from what the file system says of it.
 */
import type { BigIntStats } from 'node:fs';

/** File systems count changes this coarsely, at worst, in milliseconds: two within it can look like one. */
const COARSE_MS = 2000n;

/** What a file looked like just before it was read. */
export class FileSignature {
  readonly #text: string;
  /** The file was changed so shortly before that another change would not show. */
  readonly #isFresh: boolean;

  constructor({ mtimeMs, mtimeNs, ctimeNs, size, ino }: BigIntStats) {
    this.#text = [mtimeNs, ctimeNs, size, ino].join(' ');
    this.#isFresh = BigInt(Date.now()) - mtimeMs < COARSE_MS;
  }

  /** Whether the file is still what was read when it looked like `earlier`. */
  proves(earlier: FileSignature): boolean {
    return !earlier.#isFresh && earlier.#text === this.#text;
  }
}
