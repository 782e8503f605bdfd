/**
 * How far an ordered stage is, for the threads whose results wait for their turn.
 *
 * ORDER_NEXT is written by whoever made it grow (handler threads, the host), only upwards. ORDER_STEPS is bumped after
 * that, and after results left of a message that is not complete; threads that hold messages wait on it with
 * `Atomics.waitAsync`, and look at what they wait for after they began to. Who bumps it notifies.
 */
import { native } from '../native.js';

const ORDER_NEXT = 0;
const ORDER_STEPS = 1;
const ORDER_WORDS = 2;

export class OrderWords {
  constructor(readonly words: Int32Array = new Int32Array(new SharedArrayBuffer(ORDER_WORDS * 4))) {}

  /** Whether all of the ticket's outputs have left. */
  isPast(ticket: number): boolean {
    return ((Atomics.load(this.words, ORDER_NEXT) - ticket) | 0) > 0;
  }

  /** Tells how far the sequencer is. @param stepped whether something else is to be told, too */
  advance(sequencer: number, stepped = false): void {
    const next = native.sequencerNext(sequencer) | 0;
    let moved = stepped;
    for (;;) {
      const known = Atomics.load(this.words, ORDER_NEXT);
      if (((next - known) | 0) <= 0) break;
      if (Atomics.compareExchange(this.words, ORDER_NEXT, known, next) !== known) continue;
      moved = true;
      break;
    }
    if (!moved) return;
    Atomics.add(this.words, ORDER_STEPS, 1);
    Atomics.notify(this.words, ORDER_STEPS);
  }

  /** Resolves when it moves; undefined if it has, so that it is to be looked at again. */
  moved(): Promise<unknown> | undefined {
    const waiting = Atomics.waitAsync(this.words, ORDER_STEPS, Atomics.load(this.words, ORDER_STEPS));
    return waiting.async ? waiting.value : undefined;
  }
}
