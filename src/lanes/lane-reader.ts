/**
 * The consumer's side of a lane: takes messages out of its chunks, and keeps the words by which the host and the loop
 * know what was begun and what is settled (drawn in native/layout.h).
 *
 * 1. "Consumed", for a lane, is what is settled. CTL_PAUSED is looked at after each report of it.
 * 2. A slot says RUNNING before LANE_TAKEN counts the message: a thread that dies in between had begun it.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { ChunkView, paddedSize } from '../inbox.js';
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
  DESCRIPTOR_BYTES,
  FRAME_MORE,
  LANE_LOW,
  LANE_SLOTS,
  LANE_TAKEN,
  SLOT_BEGUN_AT,
  SLOT_NUMBER,
  SLOT_STATE,
  SLOT_STATE_FREE,
  SLOT_STATE_RUNNING,
  SLOT_STATE_STREAMING,
  SLOT_WORDS,
} from '../layout.js';
import { registerChunk } from '../message.js';
import { native } from '../native.js';
import type { LaneChunk } from './lane-notice.js';
import { Work } from './work.js';

export class LaneReader {
  private readonly chunks = new Map<number, ChunkView>();
  private readonly doubles = new WeakMap<ChunkView, Float64Array>();
  private readonly freeSlots: number[] = [];
  private current: ChunkView | undefined;
  private currentDoubles: Float64Array = new Float64Array(0);
  private published = 0;
  private taken = 0;
  private settledMessages = 0;
  private settledBytes = 0;

  constructor(
    private readonly lane: number,
    private readonly control: Int32Array,
    private readonly port: MessagePort,
  ) {
    const slots = (control.length - LANE_SLOTS) / SLOT_WORDS;
    for (let slot = slots - 1; slot >= 0; slot -= 1) this.freeSlots.push(LANE_SLOTS + slot * SLOT_WORDS);
  }

  /** How many messages are here and not begun, at least; 0 only if there are none. */
  available(): number {
    const queued = (this.published - this.taken) | 0;
    return queued > 0 ? queued : this.queued();
  }

  /** The same, with those that came since it was last asked for. */
  queued(): number {
    this.published = Atomics.load(this.control, CTL_PUBLISHED_MESSAGES);
    return (this.published - this.taken) | 0;
  }

  /**
   * Begins the next message; call only if available() says that one is here.
   *
   * @param now milliseconds of the steady clock
   */
  begin(now: number): Work {
    const chunk = this.readable();
    const { descriptors } = chunk;
    let index = descriptors.length - 2 * (chunk.taken + 1);
    const first = index - 2;
    const header = (descriptors[index]! & ~FRAME_MORE) >>> 0;
    const at = header >>> 2;
    let cost = paddedSize(descriptors[index + 1]!) + DESCRIPTOR_BYTES;
    let count = 0;
    for (let more = (descriptors[index]! & FRAME_MORE) !== 0; more; count += 1) {
      index -= 2;
      more = (descriptors[index]! & FRAME_MORE) !== 0;
      cost += paddedSize(descriptors[index + 1]!) + DESCRIPTOR_BYTES;
    }
    const body = Math.min(count, descriptors[at + 3]!);
    chunk.taken += count + 1;
    chunk.live += 1;
    const slot = this.freeSlots.pop()!;
    const { control } = this;
    control[slot + SLOT_NUMBER] = this.taken;
    control[slot + SLOT_BEGUN_AT] = now;
    control[slot + SLOT_STATE] = SLOT_STATE_RUNNING; // before the store that counts the message
    this.taken = (this.taken + 1) | 0;
    Atomics.store(control, LANE_TAKEN, this.taken);
    const low = Atomics.load(control, LANE_LOW);
    if (low !== 0) this.callWhenLow(low);
    const receivedAt = this.currentDoubles[header / 8 + 2]!;
    return new Work(
      first,
      body,
      chunk.messagesAt(first - 2 * body, count - body),
      descriptors[at]!,
      descriptors[at + 1]!,
      descriptors[at + 2]!,
      receivedAt,
      now,
      chunk,
      slot,
      cost,
    );
  }

  /** Says how far a message is. */
  mark(work: Work, state: number): void {
    Atomics.store(this.control, work.slot + SLOT_STATE, state);
  }

  /** Its handler goes on after it waited for its results to leave, which does not count as time of the handler. */
  goOn(work: Work): void {
    this.control[work.slot + SLOT_BEGUN_AT] = work.begunAt + work.waited;
    this.mark(work, SLOT_STATE_STREAMING);
  }

  /** The message is done with: its memory may be used again, and its place in the lane. */
  settle(work: Work): void {
    Atomics.store(this.control, work.slot + SLOT_STATE, SLOT_STATE_FREE);
    this.count(work);
    this.tell();
    work.chunk.release();
  }

  /** As many calls of settle, for messages whose slots are free already. */
  settleAll(works: readonly Work[]): void {
    for (const work of works) this.count(work);
    this.tell();
    for (const work of works) work.chunk.release();
  }

  private count(work: Work): void {
    this.freeSlots.push(work.slot);
    this.settledBytes = (this.settledBytes + work.cost) | 0;
    this.settledMessages = (this.settledMessages + 1) | 0;
  }

  private tell(): void {
    const { control } = this;
    // Bytes first: the producer reads messages first.
    Atomics.store(control, CTL_CONSUMED_BYTES, this.settledBytes);
    Atomics.store(control, CTL_CONSUMED_MESSAGES, this.settledMessages);
    if (Atomics.load(control, CTL_PAUSED) !== 0) this.resume();
  }

  /** The loop lets messages wait until there is little left to begin. */
  private callWhenLow(low: number): void {
    const { control } = this;
    const left = (Atomics.load(control, CTL_PUBLISHED_MESSAGES) - this.taken) | 0;
    if (left < low && Atomics.exchange(control, LANE_LOW, 0) !== 0) native.laneKick(this.lane);
  }

  private resume(): void {
    const { control } = this;
    const messages = (Atomics.load(control, CTL_PUBLISHED_MESSAGES) - this.settledMessages) | 0;
    const bytes = (Atomics.load(control, CTL_PUBLISHED_BYTES) - this.settledBytes) >>> 0;
    const low =
      messages <= Atomics.load(control, CTL_LIMIT) >>> 1 &&
      bytes <= Atomics.load(control, CTL_LIMIT_BYTES) >>> 1;
    // Half empty is soon enough: a wake costs more than many messages.
    if ((messages === 0 || low) && Atomics.exchange(control, CTL_PAUSED, 0) === 1) native.laneKick(this.lane);
  }

  recycle(chunk: ChunkView): void {
    this.chunks.delete(chunk.id);
    const reusable = !chunk.retained;
    if (reusable) {
      chunk.finished = false;
      chunk.taken = 0;
      chunk.published = 0;
      this.chunks.set(chunk.id, chunk);
    }
    if (!native.laneRecycle(this.lane, chunk.id, reusable)) this.chunks.delete(chunk.id);
  }

  /** The chunk that the next message lies in. */
  private readable(): ChunkView {
    let chunk = this.current;
    if (chunk === undefined) {
      chunk = this.find(Atomics.load(this.control, CTL_FIRST_CHUNK) >>> 0);
      this.enter(chunk);
    }
    while (chunk.taken === chunk.published) {
      chunk.published = Atomics.load(chunk.words, CHUNK_PUBLISHED);
      if (chunk.taken !== chunk.published) break;
      const next = Atomics.load(chunk.words, CHUNK_NEXT) >>> 0;
      // The chunk is complete once another follows: frames published in between are still in this one.
      if (next === 0 || chunk.taken !== Atomics.load(chunk.words, CHUNK_PUBLISHED)) continue;
      const following = this.find(next);
      this.enter(following);
      chunk.finished = true;
      if (chunk.live === 0) this.recycle(chunk);
      chunk = following;
    }
    return chunk;
  }

  private enter(chunk: ChunkView): void {
    this.current = chunk;
    let doubles = this.doubles.get(chunk);
    if (doubles === undefined) {
      doubles = new Float64Array(chunk.buffer);
      this.doubles.set(chunk, doubles);
    }
    this.currentDoubles = doubles;
  }

  private find(id: number): ChunkView {
    for (;;) {
      const known = this.chunks.get(id);
      if (known !== undefined) return known;
      const received = receiveMessageOnPort(this.port);
      if (received === undefined) throw new Error(`chunk ${id} did not arrive`);
      const gift = received.message as LaneChunk;
      const bytes = new Uint8Array(gift.buffer);
      if (!native.laneAdopt(this.lane, gift.chunk, bytes)) continue;
      const chunk = new ChunkView(gift.chunk, bytes, this);
      this.chunks.set(gift.chunk, chunk);
      registerChunk(chunk);
    }
  }
}
