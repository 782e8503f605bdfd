/**
 * The consumer's side of an inbox: takes received messages out of the chunks that the addon writes.
 *
 * Shared words (drawn in native/layout.h): the producer publishes frames in CHUNK_PUBLISHED and CTL_PUBLISHED_MESSAGES
 * (read here with Atomics.load); this side reports in CTL_CONSUMED_* how far it is, at intervals and whenever it runs
 * dry, and looks at CTL_PAUSED after each report: whoever comes second sees the other.
 */
import { constants } from 'node:os';
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { zmqError } from './errors.js';
import {
  CHUNK_NEXT,
  CHUNK_PUBLISHED,
  CTL_CONSUMED_BYTES,
  CTL_CONSUMED_MESSAGES,
  CTL_FIRST_CHUNK,
  CTL_LIMIT,
  CTL_LIMIT_BYTES,
  CTL_PAUSED,
  CTL_PUBLISHED_BYTES,
  CTL_PUBLISHED_MESSAGES,
  CTL_WORDS,
  DESCRIPTOR_BYTES,
  FRAME_ALIGN,
  FRAME_MORE,
} from './layout.js';
import { BorrowedMessage, FollowedMessage, Message, registerChunk } from './message.js';
import { native } from './native.js';

/** Who takes messages out of a chunk. */
export interface ChunkReader {
  /** All that was taken out of the chunk is done with. */
  recycle(chunk: ChunkView): void;
}

/** A chunk as this thread sees it. */
export class ChunkView {
  readonly words: Int32Array;
  /** `bytes.buffer`, which is not cheap to ask for. */
  readonly buffer: SharedArrayBuffer;
  /** Unsigned, for descriptors: sizes and offsets go beyond 2^31. */
  readonly descriptors: Uint32Array;
  /** Frames taken so far. */
  taken = 0;
  /** Frames known to be published. */
  published = 0;
  /** Messages handed out and not released. */
  live = 0;
  /** Whether all of its frames were taken and another chunk follows. */
  finished = false;
  /** Whether somebody keeps a message of it for longer than its reader knows. */
  retained = false;

  constructor(
    readonly id: number,
    readonly bytes: Uint8Array<SharedArrayBuffer>,
    private readonly reader: ChunkReader,
  ) {
    this.buffer = bytes.buffer;
    this.words = new Int32Array(bytes.buffer, 0, 16);
    this.descriptors = new Uint32Array(bytes.buffer);
  }

  /** The messages of a multipart message, or of some of its frames. @param index where the first descriptor is */
  messagesAt(index: number, count: number): Message[] {
    if (count === 1) return [this.messageAt(index)]; // most are: an array that grows is larger
    const messages: Message[] = [];
    for (let at = index; messages.length < count; at -= 2) messages.push(this.messageAt(at));
    return messages;
  }

  private messageAt(index: number): Message {
    const word = this.descriptors[index]!;
    const more = (word & FRAME_MORE) !== 0;
    const offset = more ? word - FRAME_MORE : word;
    const message = new BorrowedMessage(this.buffer, offset, this.descriptors[index + 1]!);
    if (more) message.more = true;
    return message;
  }

  release(): void {
    this.live -= 1;
    if (this.live === 0 && this.finished) this.reader.recycle(this);
  }
}

/** What a batch borrows: consecutive whole messages in one chunk. */
export interface Range {
  readonly chunk: ChunkView;
  readonly firstFrame: number;
  readonly frames: number;
  readonly messages: number;
  readonly cost: number;
}

/** Memory that an I/O worker made for an inbox. */
export interface ChunkGift {
  readonly slot: number;
  readonly chunk: number;
  readonly buffer: SharedArrayBuffer;
}

/** A message of this cost is reported at once. */
const REPORT_BYTES = 16 * 1024;

export class Inbox {
  private readonly chunks = new Map<number, ChunkView>();
  private current: ChunkView | undefined;
  private published = 0;
  private consumedMessages = 0;
  private consumedBytes = 0;
  private reportedMessages = 0;
  private reportEvery = 1;
  private ended = false;

  /**
   * @param ports where I/O workers send the chunks they make
   * @param deliver hands a chunk to whichever inbox of this thread it is for
   */
  constructor(
    private readonly slot: number,
    private control: Int32Array,
    private readonly ports: readonly MessagePort[],
    private readonly deliver: (gift: ChunkGift) => void,
  ) {
    this.published = Atomics.load(control, CTL_PUBLISHED_MESSAGES);
    this.consumedMessages = this.published;
  }

  /** How many whole messages are here. */
  available(): number {
    const queued = (this.published - this.consumedMessages) | 0;
    if (queued > 0) return queued;
    this.published = Atomics.load(this.control, CTL_PUBLISHED_MESSAGES);
    return (this.published - this.consumedMessages) | 0;
  }

  /** Makes memory for the producer when this thread is the producer. @throws ENOMEM; the message stays */
  addChunk(size: number): void {
    let buffer: SharedArrayBuffer;
    try {
      buffer = new SharedArrayBuffer(size);
    } catch (cause) {
      const error = zmqError(constants.errno.ENOMEM, 'Cannot receive', `${size} bytes of shared memory`);
      throw Object.assign(error, { cause });
    }
    const bytes = new Uint8Array(buffer);
    this.add(native.addChunk(this.slot, bytes), bytes);
  }

  adopt(gift: ChunkGift): void {
    const bytes = new Uint8Array(gift.buffer);
    if (native.adoptChunk(this.slot, gift.chunk, bytes)) this.add(gift.chunk, bytes);
  }

  private add(id: number, bytes: Uint8Array<SharedArrayBuffer>): void {
    const chunk = new ChunkView(id, bytes, this);
    this.chunks.set(id, chunk);
    registerChunk(chunk);
  }

  /** The socket is closed: from now on its slot may be another's. */
  end(): void {
    this.ended = true;
    // Its control block, too: what is still read or written goes nowhere.
    this.control = new Int32Array(new SharedArrayBuffer(CTL_WORDS * 4));
    this.control[CTL_PUBLISHED_MESSAGES] = this.consumedMessages;
    this.published = this.consumedMessages;
  }

  recycle(chunk: ChunkView): void {
    this.chunks.delete(chunk.id);
    if (this.ended || chunk.retained) return;
    chunk.finished = false;
    chunk.taken = 0;
    chunk.published = 0;
    if (native.recycle(this.slot, chunk.id)) this.chunks.set(chunk.id, chunk);
  }

  /** Takes the frames of one message; call only if available() says that one is here. */
  takeMessage(): Message[] {
    const chunk = this.readable();
    const { descriptors, buffer } = chunk;
    let index = descriptors.length - 2 * (chunk.taken + 1);
    let word = descriptors[index]!;
    let size = descriptors[index + 1]!;
    if ((word & FRAME_MORE) === 0) {
      chunk.taken += 1;
      chunk.live += 1;
      this.consumed(1, costOf(size));
      return [new Message(buffer, word, size)];
    }
    const frames: Message[] = [];
    let cost = costOf(size);
    while ((word & FRAME_MORE) !== 0) {
      frames.push(new FollowedMessage(buffer, word - FRAME_MORE, size));
      index -= 2;
      word = descriptors[index]!;
      size = descriptors[index + 1]!;
      cost += costOf(size);
    }
    frames.push(new Message(buffer, word, size));
    chunk.taken += frames.length;
    chunk.live += frames.length;
    this.consumed(1, cost);
    return frames;
  }

  /** Everything that is here in one chunk, at most `max` messages, without an object for each. */
  takeRange(max: number): Range {
    const chunk = this.readable();
    const { descriptors } = chunk;
    const firstFrame = chunk.taken;
    const end = Atomics.load(chunk.words, CHUNK_PUBLISHED);
    chunk.published = end;
    // Whole messages only: count those that were published before this look.
    const most = Math.min(max, this.available());
    let frame = firstFrame;
    let messages = 0;
    let cost = 0;
    let index = descriptors.length - 2 * (frame + 1);
    while (frame < end && messages < most) {
      if ((descriptors[index]! & FRAME_MORE) === 0) messages += 1;
      cost += costOf(descriptors[index + 1]!);
      index -= 2;
      frame += 1;
    }
    chunk.taken = frame;
    chunk.live += 1;
    return { chunk, firstFrame, frames: frame - firstFrame, messages, cost };
  }

  /** Reports a range as consumed: the producer may go on. */
  consumedRange(range: Range): void {
    this.consumed(range.messages, range.cost);
  }

  /** The chunk that the next frame lies in. */
  private readable(): ChunkView {
    let chunk = this.current;
    if (chunk === undefined) {
      chunk = this.find(Atomics.load(this.control, CTL_FIRST_CHUNK) >>> 0);
      this.current = chunk;
    }
    while (chunk.taken === chunk.published) {
      chunk.published = Atomics.load(chunk.words, CHUNK_PUBLISHED);
      if (chunk.taken !== chunk.published) break;
      const next = Atomics.load(chunk.words, CHUNK_NEXT) >>> 0;
      // The chunk is complete once another follows: frames published in between are still in this one.
      if (next === 0 || chunk.taken !== Atomics.load(chunk.words, CHUNK_PUBLISHED)) continue;
      const following = this.find(next);
      this.current = following;
      chunk.finished = true;
      if (chunk.live === 0) this.recycle(chunk);
      else this.chunks.delete(chunk.id);
      chunk = following;
    }
    return chunk;
  }

  private find(id: number): ChunkView {
    const known = this.chunks.get(id);
    if (known !== undefined) return known;
    for (const port of this.ports) {
      for (;;) {
        const received = receiveMessageOnPort(port);
        if (received === undefined) break;
        this.deliver(received.message as ChunkGift);
      }
    }
    const arrived = this.chunks.get(id);
    if (arrived === undefined) throw new Error(`chunk ${id} did not arrive`);
    return arrived;
  }

  private consumed(messages: number, cost: number): void {
    this.consumedMessages = (this.consumedMessages + messages) | 0;
    this.consumedBytes = (this.consumedBytes + cost) | 0;
    const unreported = (this.consumedMessages - this.reportedMessages) | 0;
    if (unreported >= this.reportEvery || cost >= REPORT_BYTES) this.report();
  }

  /** Tells the producer how far we are, and sets it going again if it stopped. */
  report(): void {
    if (this.reportedMessages === this.consumedMessages) return;
    const { control } = this;
    this.reportedMessages = this.consumedMessages;
    // Bytes first: the producer reads messages first.
    Atomics.store(control, CTL_CONSUMED_BYTES, this.consumedBytes);
    Atomics.store(control, CTL_CONSUMED_MESSAGES, this.consumedMessages);
    if (Atomics.load(control, CTL_PAUSED) !== 0) {
      const messages = this.available();
      const bytes = (Atomics.load(control, CTL_PUBLISHED_BYTES) - this.consumedBytes) >>> 0;
      const low =
        messages <= Atomics.load(control, CTL_LIMIT) >>> 1 &&
        bytes <= Atomics.load(control, CTL_LIMIT_BYTES) >>> 1;
      // Half empty is soon enough: a wake costs more than many messages.
      if ((messages === 0 || low) && Atomics.exchange(control, CTL_PAUSED, 0) === 1) native.kick(this.slot);
    }
    this.reportEvery = Math.min(64, Math.max(1, Atomics.load(control, CTL_LIMIT) >>> 3));
  }
}

/** The room a frame's payload takes, in bytes. */
export function paddedSize(size: number): number {
  if (size === 0) return FRAME_ALIGN;
  const over = size % FRAME_ALIGN;
  return over === 0 ? size : size + FRAME_ALIGN - over;
}

/** What a frame counts against the byte limit; the producer counts the same. */
function costOf(size: number): number {
  return paddedSize(size) + DESCRIPTOR_BYTES;
}
