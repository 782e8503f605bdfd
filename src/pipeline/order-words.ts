/**
 * How far an ordered stage is, for the threads whose results wait for their turn.
 *
 * ORDER_NEXT is written by whoever made it grow (handler threads, the host), only upwards; read by threads that hold
 * messages, which wait on it with `Atomics.waitAsync`. Who moves it notifies.
 */
import { native } from '../native.js';

const ORDER_NEXT = 0;
const ORDER_WORDS = 1;

export class OrderWords {
  constructor(readonly words: Int32Array = new Int32Array(new SharedArrayBuffer(ORDER_WORDS * 4))) {}

  /** Whether all of the ticket's outputs have left. */
  isPast(ticket: number): boolean {
    return ((Atomics.load(this.words, ORDER_NEXT) - ticket) | 0) > 0;
  }

  /** Tells how far the sequencer is. */
  advance(sequencer: number): void {
    const next = native.sequencerNext(sequencer) | 0;
    for (;;) {
      const known = Atomics.load(this.words, ORDER_NEXT);
      if (((next - known) | 0) <= 0) return;
      if (Atomics.compareExchange(this.words, ORDER_NEXT, known, next) !== known) continue;
      Atomics.notify(this.words, ORDER_NEXT);
      return;
    }
  }

  /** Resolves when it moves; undefined if it has, so that it is to be looked at again. */
  moved(): Promise<unknown> | undefined {
    const waiting = Atomics.waitAsync(this.words, ORDER_NEXT, Atomics.load(this.words, ORDER_NEXT));
    return waiting.async ? waiting.value : undefined;
  }
}
