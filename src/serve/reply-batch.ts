/**
 * The replies that a handler thread keeps, to send several of them under one lock. They lie in the lane's control block
 * (drawn in native/layout.h), so that they leave also when this thread does not come to it: a loop looks after them,
 * and what is left when the thread ends is sent then.
 */
import { placePart } from '../encode.js';
import type { Work } from '../lanes/work.js';
import {
  FRAME_MORE,
  LANE_KEPT,
  LANE_REPLIES,
  REPLY_FRAMES,
  REPLY_OUTCOME,
  REPLY_SIZES,
  REPLY_SLOT,
  REPLY_WORDS,
  SLOT_STATE,
  SLOT_STATE_WAITING,
} from '../layout.js';
import { native } from '../native.js';

/** A reply that did not leave. */
export interface Unsent {
  readonly work: Work;
  readonly errno: number;
  /** A copy of its frames. */
  readonly parts: Buffer[];
}

/** More frames are sent at once. */
const MOST_FRAMES = 64;
const END = LANE_REPLIES + REPLY_WORDS;
const END_BYTES = 4 * END;

export class ReplyBatch {
  private readonly bytes: Buffer;
  private readonly works: Work[] = [];
  /** The word after the last reply. */
  private at = LANE_REPLIES;

  constructor(
    private readonly lane: number,
    private readonly control: Int32Array,
    socketSlot: number,
  ) {
    this.bytes = Buffer.from(control.buffer);
    native.laneReplyThrough(lane, socketSlot);
  }

  /** @returns false if it has to be sent at once: it is large, or needs a closer look, or there is no room */
  add(work: Work, result: unknown): boolean {
    const { control, bytes, at } = this;
    const frames = Array.isArray(result) ? result : undefined;
    const count = work.body + (frames === undefined ? 1 : frames.length);
    const sizes = at + REPLY_SIZES;
    if (count > MOST_FRAMES || sizes + count >= END) return false;
    const begin = 4 * (sizes + count);
    let offset = this.placeEnvelope(work, begin, sizes);
    if (offset < 0) return false;
    for (let index = 0; index < count - work.body; index += 1) {
      const part = frames === undefined ? (result === undefined ? '' : result) : frames[index];
      const size = placePart(bytes, part, offset, END_BYTES);
      if (size < 0) return false;
      control[sizes + work.body + index] = size;
      offset += size;
    }
    control[at + REPLY_SLOT] = work.slot;
    control[at + REPLY_FRAMES] = count;
    this.at = (offset + 3) >>> 2;
    this.works.push(work);
    // Whoever rescues what a dead thread left answers what has not left.
    control[work.slot + SLOT_STATE] = SLOT_STATE_WAITING; // before the store that counts the reply
    Atomics.store(control, LANE_KEPT, this.at - LANE_REPLIES); // pairs with the load of who sends
    return true;
  }

  /** @returns the offset behind it, or -1 if there is no room */
  private placeEnvelope(work: Work, begin: number, sizes: number): number {
    const { control, bytes } = this;
    const { descriptors, bytes: source } = work.chunk;
    let offset = begin;
    for (let index = 0; index < work.body; index += 1) {
      const at = work.first - 2 * index;
      const from = (descriptors[at]! & ~FRAME_MORE) >>> 0;
      const size = descriptors[at + 1]!;
      if (size > END_BYTES - offset) return -1;
      for (let byte = 0; byte < size; byte += 1) bytes[offset + byte] = source[from + byte]!;
      control[sizes + index] = size;
      offset += size;
    }
    return offset;
  }

  /** Sends them all. @returns those that did not leave, if any, in order */
  send(): Unsent[] | undefined {
    const failed = native.laneSendReplies(this.lane);
    const unsent = failed === 0 ? undefined : this.unsent();
    this.works.length = 0;
    this.at = LANE_REPLIES;
    return unsent;
  }

  private unsent(): Unsent[] {
    const { control, bytes, works } = this;
    const found: Unsent[] = [];
    let at = LANE_REPLIES;
    for (const work of works) {
      const frames = control[at + REPLY_FRAMES]!;
      const errno = control[at + REPLY_OUTCOME]!;
      let offset = 4 * (at + REPLY_SIZES + frames);
      const parts: Buffer[] = [];
      for (let index = 0; index < frames; index += 1) {
        const size = control[at + REPLY_SIZES + index]!;
        if (errno !== 0) parts.push(Buffer.from(bytes.subarray(offset, offset + size)));
        offset += size;
      }
      if (errno !== 0) found.push({ work, errno, parts });
      at = (offset + 3) >>> 2;
    }
    return found;
  }
}
