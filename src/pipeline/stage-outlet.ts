/**
 * The outlet of a pipeline's stage: hands on what its handlers return.
 *
 * Unordered, each thread hands on its own. Ordered, results go to the stage's sequencer, and whichever thread finds the
 * next one there hands on as many as there are; a message is settled when its results have left, so that no more are
 * ahead than may be in flight. Handlers that yield their results are held back when these do not leave.
 */
import { reported } from '../lanes/lane-consumer.js';
import type { Outlet, OutletThread, ReportedMessage } from '../lanes/outlet.js';
import { toWire } from '../lanes/wire-error.js';
import type { Work } from '../lanes/work.js';
import { LANE_DROPPED, LANE_SENT } from '../layout.js';
import { EMIT_FULL, EMIT_LEFT, native } from '../native.js';
import { type Exit, type ExitData, OrderedExit, openExit } from './exit.js';
import { OrderWords } from './order-words.js';
import { lastingOutput, type Output, outputOf, outputsOf, type SinkNames } from './outputs.js';

export interface StageOutletData {
  readonly exit: ExitData;
  readonly sinks: SinkNames;
  /** The sink that gets messages which failed; -1 for none. */
  readonly deadLetterSink: number;
  /** Of an ordered stage. */
  readonly order:
    | { readonly sequencer: number; readonly words: Int32Array; readonly byKey: boolean }
    | undefined;
}

/** So many results of a message may wait for their turn while its handler yields more. */
const MOST_AHEAD = 16;

class StageOutlet implements Outlet {
  private readonly exit: Exit;

  constructor(
    private readonly data: StageOutletData,
    private readonly thread: OutletThread,
  ) {
    this.exit = openExit(data.exit, thread.lane);
  }

  deliver(work: Work, result: unknown): Promise<void> | undefined {
    const outputs = outputsOf(result, this.data.sinks);
    for (const [index, output] of outputs.entries()) {
      const sent = this.handOn(work, output);
      if (sent !== undefined) return this.handOnRest(work, sent, outputs.slice(index + 1));
    }
    return undefined;
  }

  private async handOnRest(work: Work, first: Promise<void>, rest: readonly Output[]): Promise<void> {
    const lasting = rest.map((output) => lastingOutput(output, work.chunk.buffer));
    await first;
    for (const output of lasting) await this.handOn(work, output, true);
  }

  part(work: Work, result: unknown): Promise<void> | undefined {
    return this.handOn(work, outputOf(result, this.data.sinks));
  }

  fail(work: Work, _error: Error): Promise<void> | undefined {
    const { deadLetterSink } = this.data;
    return deadLetterSink < 0 ? undefined : this.handOn(work, [deadLetterSink, ...work.frames]);
  }

  /**
   * Sends one. What cannot be sent is reported, and done with: the handler has done its part.
   *
   * @param lasts whether its frames stay as they are, as those of the message do until that is settled
   */
  private handOn(work: Work, output: Output, lasts = false): Promise<void> | undefined {
    const { control } = this.thread;
    let sent: Promise<void> | undefined;
    try {
      sent = this.exit.send(output, lasts ? undefined : work.chunk.buffer);
    } catch (error) {
      drop(this.thread, error, reported(work));
      return undefined;
    }
    if (sent === undefined) {
      Atomics.add(control, LANE_SENT, 1);
      return undefined;
    }
    return sent.then(
      () => void Atomics.add(control, LANE_SENT, 1),
      (error: unknown) => drop(this.thread, error, reported(work)),
    );
  }

  wake(): void {
    this.exit.wake();
  }

  flush(): void {
    this.exit.flush();
  }

  close(): void {
    this.exit.flush();
  }
}

class OrderedOutlet implements Outlet {
  private readonly exit: OrderedExit;
  private readonly sequencer: number;
  private readonly words: OrderWords;
  /** Messages whose results wait for their turn. */
  private readonly held = new Set<{ readonly over: () => boolean; readonly resolve: () => void }>();
  private listening = false;
  /** Whether this thread is to hand on, and waits for room in the next stage. */
  private full = false;

  constructor(
    private readonly data: StageOutletData,
    private readonly thread: OutletThread,
  ) {
    this.exit = new OrderedExit(data.exit);
    this.sequencer = data.order!.sequencer;
    this.words = new OrderWords(data.order!.words);
  }

  deliver(work: Work, result: unknown): Promise<void> | undefined {
    return this.put(work, outputsOf(result, this.data.sinks));
  }

  /** The handler may be some results ahead of those that left; before its turn, and when a sink is slow. */
  part(work: Work, result: unknown): Promise<void> | undefined {
    const { ticket } = work;
    const output = outputOf(result, this.data.sinks);
    if (native.sequencerAppend(this.sequencer, ticket, this.thread.lane, output)) this.emit();
    if (native.sequencerUnsent(this.sequencer, ticket) < MOST_AHEAD) return undefined;
    // Others may begin, for among them may be the one that all wait for: when a thread died, what it had not begun went
    // to the end of another lane. Not so with a key, whose messages stay in order.
    if (!this.data.order!.byKey) work.leave();
    return this.wait(() => native.sequencerUnsent(this.sequencer, ticket) <= MOST_AHEAD / 2);
  }

  fail(work: Work, _error: Error): Promise<void> | undefined {
    const { deadLetterSink } = this.data;
    return this.put(work, deadLetterSink < 0 ? [] : [[deadLetterSink, ...work.frames]]);
  }

  private put(work: Work, outputs: Output[]): Promise<void> | undefined {
    const ticket = work.ticket | 0;
    const emits = native.sequencerPut(this.sequencer, work.ticket, this.thread.lane, outputs);
    if (emits) this.emit();
    this.words.advance(this.sequencer);
    if (this.words.isPast(ticket)) return undefined;
    // Others may begin: what waits for its turn needs no place among those that run.
    work.leave();
    return this.wait(() => this.words.isPast(ticket));
  }

  private wait(over: () => boolean): Promise<void> {
    const turn = new Promise<void>((resolve) => this.held.add({ over, resolve }));
    this.listen();
    return turn;
  }

  /** Hands on what is next in order, for as long as there is something. */
  private emit(): void {
    const { sequencer, exit } = this;
    const { lane } = this.thread;
    let left = 0;
    this.full = false;
    for (;;) {
      let emitted: number | Promise<void>;
      try {
        emitted = exit.emit(sequencer, lane);
      } catch (error) {
        this.giveUp(error);
        left += 1;
        continue;
      }
      if (typeof emitted !== 'number') {
        void emitted
          .then(
            () => this.countSent(),
            (error: unknown) => this.giveUp(error),
          )
          .then(() => {
            this.words.advance(sequencer, true);
            this.emit();
          });
        break;
      }
      if (emitted !== EMIT_LEFT) {
        this.full = emitted === EMIT_FULL;
        break;
      }
      this.countSent();
      left += 1;
    }
    this.words.advance(sequencer, left > 0);
    this.release();
  }

  private countSent(): void {
    Atomics.add(this.thread.control, LANE_SENT, 1);
  }

  /** The next in order cannot be sent, and is done with. */
  private giveUp(error: unknown): void {
    const output = native.sequencerFront(this.sequencer, this.thread.lane);
    if (output !== undefined) drop(this.thread, error, aboutResult(output));
    native.sequencerConfirm(this.sequencer, this.thread.lane);
  }

  private release(): void {
    for (const held of this.held) {
      if (!held.over()) continue;
      this.held.delete(held);
      held.resolve();
    }
  }

  private listen(): void {
    if (this.listening) return;
    this.listening = true;
    for (;;) {
      const moved = this.words.moved();
      this.release();
      if (this.held.size === 0) break;
      if (moved === undefined) continue;
      void moved.then(() => {
        this.listening = false;
        this.release();
        if (this.held.size > 0) this.listen();
      });
      return;
    }
    this.listening = false;
  }

  /** There may be room; and the host rings when a thread died that may have been the one to hand on. */
  wake(): void {
    if (this.full || native.sequencerTake(this.sequencer, this.thread.lane)) this.emit();
  }

  flush(): void {
    this.exit.flush();
  }

  close(): void {
    this.exit.flush();
  }
}

function drop(thread: OutletThread, error: unknown, message: ReportedMessage): void {
  Atomics.add(thread.control, LANE_DROPPED, 1);
  thread.report({ type: 'dropped', error: toWire(error), message });
}

/** What a result came from is with another thread, perhaps: it stands for itself. */
function aboutResult([, ...frames]: Output): ReportedMessage {
  return { ticket: 0, source: 0, attempts: 0, envelope: [], frames };
}

export default function makeStageOutlet(data: unknown, thread: OutletThread): Outlet {
  const setup = data as StageOutletData;
  return setup.order === undefined ? new StageOutlet(setup, thread) : new OrderedOutlet(setup, thread);
}
