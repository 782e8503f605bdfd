/**
 * A handler thread at work: begins the messages of its lane, calls the handler, hands results to the outlet.
 *
 * 1. A handler that returns no promise costs none: its message is begun, handled and settled in one go.
 * 2. Store-flag, re-check: CTL_WAITING is set before the lane is looked at once more; the loop publishes before it
 *    exchanges the flag. The thread waits for LANE_SEQUENCE, which whoever wants something of it bumps.
 * 3. Now and then the event loop gets a turn, so that timers, ports and what handlers wait for come about.
 */
import { performance, type RecordableHistogram } from 'node:perf_hooks';
import { TimeoutError } from '../errors.js';
import {
  CTL_WAITING,
  LANE_FAILED,
  LANE_ORDER,
  LANE_RUNNING,
  LANE_SEQUENCE,
  LANE_TICKS,
  LANE_TIMED_OUT,
  ORDER_ABORT,
  ORDER_RUN,
  SLOT_STATE_DELIVERING,
  SLOT_STATE_STREAMING,
} from '../layout.js';
import type { Message } from '../message.js';
import { native } from '../native.js';
import { LONGEST_TIMER } from '../pending.js';
import { type ContextOfThread, type HandlerContext, WorkContext } from './handler-context.js';
import { promiseOf, whenSettled } from './handler-promise.js';
import { iterate, resultsOf, type StreamOwner, TURN_MS } from './handler-stream.js';
import { KeptResults } from './kept-results.js';
import type { LaneReader } from './lane-reader.js';
import type { Outlet, Report } from './outlet.js';
import { asError, toWire } from './wire-error.js';
import type { Work } from './work.js';

/** What a handler module exports. */
export type Handler = (request: Message[], context: HandlerContext) => unknown;

export interface ConsumerSetup {
  readonly lane: number;
  readonly control: Int32Array;
  readonly reader: LaneReader;
  readonly handler: Handler;
  readonly outlet: Outlet;
  readonly context: ContextOfThread;
  readonly concurrency: number;
  readonly timeout: number;
  readonly latency: RecordableHistogram;
  readonly service: RecordableHistogram;
  report(report: Report): void;
}

/** How long what a send may have swallowed stays unnoticed while the thread is busy, in milliseconds. */
const FLUSH_MS = 0.1;

/** Results of handlers that take longer leave at once, in milliseconds. */
const SHORT_HANDLER_MS = 0.5;

/** The steady clock, which native code and all threads share, in milliseconds. */
const [seconds, nanoseconds] = process.hrtime();
const clockOffset = seconds * 1e3 + nanoseconds / 1e6 - performance.now();

export class LaneConsumer {
  private readonly running = new Set<Work>();
  private readonly kept: KeptResults;
  private places = 0;
  private armed = false;
  private draining = false;
  private turning = false;
  private flushedAt = 0;
  /** LANE_SEQUENCE as it was when we last looked after what it is bumped for. */
  private sequence = 0;
  private deadline: NodeJS.Timeout | undefined;
  /** When it comes, in milliseconds of the steady clock. */
  private deadlineAt = 0;
  private finish: (() => void) | undefined;
  private readonly leave = (work: Work): void => {
    if (!work.placed) return;
    work.placed = false;
    this.places -= 1;
    if (!this.draining) queueMicrotask(this.drain);
  };

  constructor(private readonly setup: ConsumerSetup) {
    this.kept = new KeptResults(setup.reader, setup.outlet);
  }

  /** Works until it is told to stop. */
  async run(): Promise<void> {
    const finished = new Promise<void>((resolve) => {
      this.finish = resolve;
    });
    this.drain();
    await finished;
  }

  /** Begins what is here, as far as it may, and arranges to be called again. */
  private readonly drain = (): void => {
    const { setup } = this;
    const { reader, concurrency, outlet } = setup;
    if (this.draining || this.turning || this.finish === undefined) return;
    this.draining = true;
    let now = performance.now();
    const turnAt = now + TURN_MS;
    for (;;) {
      while (this.places < concurrency && reader.available() > 0) {
        now = this.handle(now);
        if (now - this.flushedAt > FLUSH_MS) {
          this.flushedAt = now;
          outlet.flush?.();
        }
        if (now > turnAt) {
          this.sendKept();
          this.draining = false;
          this.turn();
          return;
        }
      }
      this.sendKept();
      outlet.flush?.();
      if (this.sleep()) break;
    }
    this.draining = false;
  };

  private turn(): void {
    this.turning = true;
    setImmediate(() => {
      this.turning = false;
      this.obey();
      this.drain();
    });
  }

  /** Has the doorbell call. @returns false if there is something to do at once */
  private sleep(): boolean {
    const { control, reader, concurrency } = this.setup;
    if (this.armed) {
      if (this.places >= concurrency) return true;
      Atomics.store(control, CTL_WAITING, 1);
      return reader.available() === 0;
    }
    const sequence = Atomics.load(control, LANE_SEQUENCE);
    if (sequence !== this.sequence) {
      // Somebody rang while we were busy.
      this.sequence = sequence;
      this.setup.outlet.wake?.();
      this.obey();
      return this.finish === undefined;
    }
    if (this.places < concurrency) {
      Atomics.store(control, CTL_WAITING, 1);
      if (reader.available() > 0) return false;
    }
    const waiting = Atomics.waitAsync(control, LANE_SEQUENCE, sequence);
    if (!waiting.async) {
      queueMicrotask(this.rung);
      this.armed = true;
      return true;
    }
    this.armed = true;
    void waiting.value.then(this.rung);
    return true;
  }

  private readonly rung = (): void => {
    this.armed = false;
    this.sequence = Atomics.load(this.setup.control, LANE_SEQUENCE);
    this.setup.outlet.wake?.();
    this.obey();
    this.drain();
  };

  private obey(): void {
    const order = Atomics.load(this.setup.control, LANE_ORDER);
    if (order === ORDER_RUN) return;
    if (this.setup.context.aborted === undefined) {
      const reason = Object.assign(new Error('The threads are about to end'), { name: 'AbortError' });
      this.setup.context.aborted = reason;
      for (const work of this.running) work.abortFor(reason);
    }
    if (order === ORDER_ABORT) return;
    const { finish } = this;
    this.finish = undefined;
    clearTimeout(this.deadline);
    finish?.();
  }

  /** @returns the time after it */
  private handle(now: number): number {
    const { setup } = this;
    const work = setup.reader.begin(now + clockOffset);
    let result: unknown;
    let promise: Promise<unknown> | undefined;
    try {
      const request = setup.outlet.open === undefined ? work.request : setup.outlet.open(work);
      result = setup.handler(request, new WorkContext(work, setup.context));
      promise = promiseOf(result);
    } catch (error) {
      this.fail(work, error);
      return performance.now();
    }
    if (promise !== undefined) {
      this.await(work, promise);
      return performance.now();
    }
    if (this.stream(work, result)) return performance.now();
    // In one go: nothing of it can be seen from outside, but for the result.
    const after = performance.now();
    setup.service.record(microseconds(after - now));
    if (!this.keep(work, result, after - now, after)) this.deliver(work, result);
    return after;
  }

  /**
   * Has the result leave with others, while there is plenty to do; before this thread sleeps.
   *
   * @param took how long the handler took, in milliseconds
   * @returns false if the outlet does not
   */
  private keep(work: Work, result: unknown, took: number, now: number): boolean {
    // Nobody would come to send it: drain() does nothing then.
    if (this.turning || this.finish === undefined || !this.kept.add(work, result, now)) return false;
    work.over = true;
    work.handled = true; // in time, however long it may wait for room then
    this.letGo(work);
    const { control, lane } = this.setup;
    if (took > SHORT_HANDLER_MS || this.kept.isDue(now)) this.sendKept();
    else if (Atomics.load(control, LANE_TICKS) === 0) native.laneKeepReplies(lane);
    return true;
  }

  private sendKept(): void {
    this.kept.send(this.allLeft, this.delivered);
  }

  private readonly allLeft = (works: readonly Work[]): void => {
    const now = performance.now() + clockOffset;
    for (const work of works) this.setup.latency.record(microseconds(now - work.receivedAt));
    this.setup.reader.settleAll(works);
  };

  private await(work: Work, result: Promise<unknown>): void {
    this.hold(work);
    this.limit(work);
    whenSettled(
      result,
      (value) => {
        if (work.over || this.stream(work, value)) return;
        const now = performance.now();
        if (!this.keep(work, value, this.serviced(work, now), now)) this.deliver(work, value);
      },
      (error) => {
        if (!work.over) this.fail(work, error);
      },
    );
  }

  /** Takes results one by one from handlers that yield them. @returns whether this is one, or fails as one */
  private stream(work: Work, result: unknown): boolean {
    if (this.setup.outlet.part === undefined) return false;
    let results: ReturnType<typeof resultsOf>;
    try {
      results = resultsOf(result);
    } catch (error) {
      this.fail(work, error);
      return true;
    }
    if (results === undefined) return false;
    void iterate(work, results, this.streams);
    return true;
  }

  private readonly streams: StreamOwner = {
    hold: (work) => {
      if (this.running.has(work)) return;
      this.hold(work);
      this.limit(work);
    },
    begins: (work) => this.setup.reader.mark(work, SLOT_STATE_STREAMING),
    part: (work, result) => this.setup.outlet.part!(work, result),
    waits: (work) => {
      work.handled = true;
      this.setup.reader.mark(work, SLOT_STATE_DELIVERING);
    },
    goesOn: (work, waited) => {
      work.handled = false;
      work.waited += waited;
      this.setup.reader.goOn(work);
      this.limit(work);
    },
    ends: (work) => {
      this.serviced(work, performance.now());
      this.deliver(work, undefined);
    },
    fails: (work, error) => this.fail(work, error),
  };

  /** @returns how long its handler took */
  private serviced(work: Work, now: number): number {
    const took = now + clockOffset - work.begunAt - work.waited;
    this.setup.service.record(microseconds(took));
    return took;
  }

  /** The message goes on for longer than this turn. */
  private hold(work: Work): void {
    if (this.running.has(work)) return;
    this.running.add(work);
    if (!work.left) {
      this.places += 1;
      work.placed = true;
      work.onLeave = this.leave;
    }
    Atomics.store(this.setup.control, LANE_RUNNING, this.running.size);
  }

  private deliver(work: Work, result: unknown): void {
    const { reader, outlet } = this.setup;
    this.sendKept(); // replies stay in order
    work.handled = true;
    reader.mark(work, SLOT_STATE_DELIVERING);
    let delivered: Promise<void> | undefined;
    try {
      delivered = outlet.deliver(work, result);
    } catch (error) {
      this.fail(work, error);
      return;
    }
    this.delivered(work, delivered);
  }

  private readonly delivered = (work: Work, delivered: Promise<void> | undefined): void => {
    if (delivered === undefined) {
      this.settle(work);
      return;
    }
    this.hold(work);
    delivered.then(
      () => this.settle(work),
      (error: unknown) => this.fail(work, error),
    );
  };

  private fail(work: Work, thrown: unknown): void {
    const { control, reader, outlet } = this.setup;
    const error = asError(thrown);
    this.sendKept();
    work.over = true;
    work.handled = true;
    Atomics.add(control, LANE_FAILED, 1);
    this.report(work, error);
    reader.mark(work, SLOT_STATE_DELIVERING);
    let done: Promise<void> | undefined;
    try {
      done = outlet.fail(work, error);
    } catch (second) {
      this.report(work, asError(second));
    }
    if (done === undefined) {
      this.settle(work);
      return;
    }
    this.hold(work);
    done.then(
      () => this.settle(work),
      (second: unknown) => {
        this.report(work, asError(second));
        this.settle(work);
      },
    );
  }

  private report(work: Work, error: Error): void {
    this.setup.report({ type: 'failed', error: toWire(error), message: reported(work) });
  }

  private settle(work: Work): void {
    work.over = true;
    this.setup.latency.record(microseconds(performance.now() + clockOffset - work.receivedAt));
    this.setup.reader.settle(work);
    this.letGo(work);
  }

  /** If it was held: drain() comes to whatever is next. */
  private letGo(work: Work): void {
    if (this.running.size === 0 || !this.running.delete(work)) return;
    Atomics.store(this.setup.control, LANE_RUNNING, this.running.size);
    this.leave(work);
  }

  /** Its handler runs from now on, and no longer than it may. */
  private limit(work: Work): void {
    const { timeout } = this.setup;
    if (timeout < 0) return;
    const at = work.begunAt + work.waited + timeout;
    if (this.deadline === undefined || at < this.deadlineAt) this.expireAt(at);
  }

  private expireAt(time: number): void {
    clearTimeout(this.deadline);
    this.deadlineAt = time;
    const left = time - performance.now() - clockOffset;
    this.deadline = setTimeout(this.expire, Math.min(LONGEST_TIMER, Math.max(1, Math.ceil(left))));
  }

  private readonly expire = (): void => {
    this.deadline = undefined;
    const { timeout, control } = this.setup;
    const now = performance.now() + clockOffset;
    let next = Infinity;
    for (const work of this.running) {
      if (work.handled) continue;
      const at = work.begunAt + work.waited + timeout;
      if (at > now) {
        next = Math.min(next, at);
        continue;
      }
      const error = new TimeoutError('handler', timeout / 1000);
      Atomics.add(control, LANE_TIMED_OUT, 1);
      work.outlast();
      this.fail(work, error);
      work.abortFor(error);
    }
    if (next < Infinity) this.expireAt(next);
  };
}

/** A copy of a message, for whoever is told of it later. */
export function reported(work: Work): Extract<Report, { type: 'failed' }>['message'] {
  return {
    ticket: work.ticket,
    source: work.source,
    attempts: work.attempts,
    envelope: work.envelope.map((frame) => frame.copy()),
    frames: work.frames.map((frame) => frame.copy()),
  };
}

function microseconds(milliseconds: number): number {
  return Math.max(1, Math.round(milliseconds * 1000));
}
