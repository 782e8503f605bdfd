/**
 * A batch: everything that was ready, without an object for each message.
 */
import { argumentError } from './errors.js';
import { type ChunkView, type Inbox, paddedSize, type Range } from './inbox.js';
import { DESCRIPTOR_BYTES, FRAME_MORE } from './layout.js';
import { BorrowedMessage, type Message } from './message.js';

/**
 * Consecutive received messages in one piece of shared memory. The memory is borrowed: it is filled again once the
 * loop over `batches()` asks for the next batch, unless `retain()` was called.
 *
 * ```ts
 * for await (const batch of pull.batches()) {
 *   for (let i = 0; i < batch.length; i++) {
 *     const start = batch.offset(i);
 *     sum += batch.data[start];          // first byte of frame i
 *   }
 * }
 * ```
 */
export class Batch {
  /** How many frames there are: `offset`, `size` and `more` take an index below it. */
  readonly length: number;
  /** How many messages there are; as many as frames where none is multipart. */
  readonly messages: number;
  /** The memory that `offset` counts in. It holds more than this batch. */
  readonly data: Uint8Array<SharedArrayBuffer>;
  private readonly buffer: SharedArrayBuffer;
  private readonly descriptors: Uint32Array;
  private readonly first: number;
  private chunk: ChunkView | undefined;
  private total = -1;

  /** @internal */
  constructor(range: Range, inbox: Inbox | undefined) {
    this.length = range.frames;
    this.messages = range.messages;
    this.data = range.chunk.bytes;
    this.buffer = range.chunk.buffer;
    this.descriptors = range.chunk.descriptors;
    this.first = this.descriptors.length - 2 * (range.firstFrame + 1);
    this.chunk = range.chunk;
    inbox?.consumedRange(range);
  }

  /** @internal A batch of one message whose first frames were taken already. */
  static ofMessage(frames: readonly Message[]): Batch {
    const room = frames.reduce((sum, frame) => sum + paddedSize(frame.length) + DESCRIPTOR_BYTES, 0);
    const bytes = new Uint8Array(new SharedArrayBuffer(room));
    const descriptors = new Uint32Array(bytes.buffer);
    let offset = 0;
    frames.forEach((frame, index) => {
      bytes.set(frame, offset);
      const descriptor = descriptors.length - 2 * (index + 1);
      descriptors[descriptor] = offset + (index + 1 < frames.length ? FRAME_MORE : 0);
      descriptors[descriptor + 1] = frame.length;
      offset += paddedSize(frame.length);
    });
    const chunk = { bytes, buffer: bytes.buffer, descriptors } as unknown as ChunkView;
    const batch = new Batch({ chunk, firstFrame: 0, frames: frames.length, messages: 1, cost: 0 }, undefined);
    batch.chunk = undefined;
    return batch;
  }

  /** The sum of the frames' sizes, in bytes. */
  get bytes(): number {
    if (this.total < 0) {
      this.total = 0;
      for (let index = 0; index < this.length; index += 1) this.total += this.size(index);
    }
    return this.total;
  }

  /** Where frame `index` begins in `data`. @throws {@link ArgumentError} if there is none */
  offset(index: number): number {
    const word = this.descriptors[this.descriptorOf(index)]!;
    return (word & FRAME_MORE) === 0 ? word : word - FRAME_MORE;
  }

  /** How many bytes frame `index` has. @throws {@link ArgumentError} if there is none */
  size(index: number): number {
    return this.descriptors[this.descriptorOf(index) + 1]!;
  }

  /** Whether another frame of the same message follows frame `index`. @throws {@link ArgumentError} if there is none */
  more(index: number): boolean {
    return (this.descriptors[this.descriptorOf(index)]! & FRAME_MORE) !== 0;
  }

  /** Frame `index` as a message, valid as long as the batch. @throws {@link ArgumentError} if there is none */
  at(index: number): Message {
    const message = new BorrowedMessage(this.buffer, this.offset(index), this.size(index));
    if (this.more(index)) message.more = true;
    return message;
  }

  /** The messages, as arrays of their frames. */
  *[Symbol.iterator](): Generator<Message[], void, undefined> {
    let frames: Message[] = [];
    for (let index = 0; index < this.length; index += 1) {
      const frame = this.at(index);
      frames.push(frame);
      if (!frame.more) {
        yield frames;
        frames = [];
      }
    }
  }

  /** Keeps the batch's memory valid for as long as it, or a message of it, is reachable. @returns this batch */
  retain(): this {
    this.chunk = undefined;
    return this;
  }

  private descriptorOf(index: number): number {
    // Beyond its ends lie the descriptors of other people's frames.
    if (!Number.isInteger(index) || index < 0 || index >= this.length) {
      throw argumentError('index', `an integer from 0 to ${this.length - 1}`, index);
    }
    return this.first - 2 * index;
  }

  /** @internal The borrower is done. */
  giveBack(): void {
    const { chunk } = this;
    this.chunk = undefined;
    chunk?.release();
  }
}
