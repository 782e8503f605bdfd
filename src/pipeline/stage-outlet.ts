/**
 * The outlet of a pipeline's stage: hands on what its handlers return.
 *
 * Unordered, each thread hands on its own. Ordered, results go to the stage's sequencer, and whichever thread finds the
 * next one there hands on as many as there are; a message is settled when its results have left, so that no more are
 * ahead than may be in flight.
 */
import { reported } from '../lanes/lane-consumer.js';
import type { Outlet, OutletThread } from '../lanes/outlet.js';
import { toWire } from '../lanes/wire-error.js';
import type { Work } from '../lanes/work.js';
import { LANE_DROPPED, LANE_SENT } from '../layout.js';
import { native } from '../native.js';
import { type Exit, type ExitData, openExit } from './exit.js';
import { OrderWords } from './order-words.js';
import { isAsyncIterable, type Output, outputOf, outputsOf, type SinkNames } from './outputs.js';

export interface StageOutletData {
  readonly exit: ExitData;
  readonly sinks: SinkNames;
  /** Of an ordered stage. */
  readonly order: { readonly sequencer: number; readonly words: Int32Array } | undefined;
}

class StageOutlet implements Outlet {
  protected readonly exit: Exit;

  constructor(
    protected readonly data: StageOutletData,
    protected readonly thread: OutletThread,
  ) {
    this.exit = openExit(data.exit, thread.lane);
  }

  deliver(work: Work, result: unknown): Promise<void> | undefined {
    const outputs = outputsOf(result, this.data.sinks);
    if (outputs === undefined) return this.stream(work, result as AsyncIterable<unknown>);
    for (const [index, output] of outputs.entries()) {
      const sent = this.handOn(work, output);
      if (sent !== undefined) return this.handOnRest(work, sent, outputs, index + 1);
    }
    return undefined;
  }

  private async handOnRest(work: Work, first: Promise<void>, outputs: Output[], from: number): Promise<void> {
    await first;
    for (let index = from; index < outputs.length; index += 1) await this.handOn(work, outputs[index]!);
  }

  /** As they come; the generator goes on when the one before has left. */
  private async stream(work: Work, results: AsyncIterable<unknown>): Promise<void> {
    for await (const result of results) {
      if (work.over) return;
      await this.handOn(work, outputOf(result, this.data.sinks));
    }
  }

  fail(_work: Work, _error: Error): Promise<void> | undefined {
    return undefined;
  }

  /** Sends one. That it could not be sent is reported: the handler has done its part. */
  private handOn(work: Work, output: Output): Promise<void> | undefined {
    const { control } = this.thread;
    let sent: Promise<void> | undefined;
    try {
      sent = this.exit.send(output);
    } catch (error) {
      this.drop(error, work);
      return undefined;
    }
    if (sent === undefined) {
      Atomics.add(control, LANE_SENT, 1);
      return undefined;
    }
    return sent.then(
      () => void Atomics.add(control, LANE_SENT, 1),
      (error: unknown) => this.drop(error, work),
    );
  }

  private drop(error: unknown, work: Work): void {
    Atomics.add(this.thread.control, LANE_DROPPED, 1);
    this.thread.report({ type: 'dropped', error: toWire(error), message: reported(work) });
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

class OrderedOutlet extends StageOutlet {
  private readonly sequencer: number;
  private readonly words: OrderWords;
  /** Messages whose results wait for their turn. */
  private readonly held = new Map<number, () => void>();
  private listening = false;

  constructor(data: StageOutletData, thread: OutletThread) {
    super(data, thread);
    this.sequencer = data.order!.sequencer;
    this.words = new OrderWords(data.order!.words);
  }

  override deliver(work: Work, result: unknown): Promise<void> | undefined {
    const outputs = outputsOf(result, this.data.sinks);
    return outputs === undefined ? this.gather(work, result) : this.put(work, outputs);
  }

  private async gather(work: Work, result: unknown): Promise<void> {
    const outputs: Output[] = [];
    for await (const one of isAsyncIterable(result) ? result : []) {
      if (work.over) return;
      outputs.push(outputOf(one, this.data.sinks));
    }
    await this.put(work, outputs);
  }

  override fail(work: Work, _error: Error): Promise<void> | undefined {
    return this.put(work, []);
  }

  private put(work: Work, outputs: Output[]): Promise<void> | undefined {
    const ticket = work.ticket | 0;
    const emits = native.sequencerPut(this.sequencer, work.ticket, this.thread.lane, outputs);
    if (emits) this.emit();
    this.words.advance(this.sequencer);
    if (this.words.isPast(ticket)) return undefined;
    // Others may begin: what waits for its turn needs no place among those that run.
    work.leave();
    const turn = new Promise<void>((resolve) => this.held.set(ticket, resolve));
    this.listen();
    return turn;
  }

  /** Hands on what is next in order, for as long as there is something. */
  private emit(): void {
    const { control, lane } = this.thread;
    for (;;) {
      const output = native.sequencerFront(this.sequencer, lane);
      if (output === undefined) break;
      let sent: Promise<void> | undefined;
      try {
        sent = this.exit.send(output);
      } catch (error) {
        this.dropOutput(error, output);
      }
      if (sent !== undefined) {
        sent
          .then(
            () => void Atomics.add(control, LANE_SENT, 1),
            (error: unknown) => this.dropOutput(error, output),
          )
          .finally(() => {
            native.sequencerConfirm(this.sequencer, lane);
            this.emit();
          });
        break;
      }
      Atomics.add(control, LANE_SENT, 1);
      native.sequencerConfirm(this.sequencer, lane);
    }
    this.words.advance(this.sequencer);
    this.release();
  }

  private dropOutput(error: unknown, [, ...frames]: Output): void {
    Atomics.add(this.thread.control, LANE_DROPPED, 1);
    const message = { ticket: 0, source: 0, attempts: 0, envelope: [], frames };
    this.thread.report({ type: 'dropped', error: toWire(error), message });
  }

  private release(): void {
    for (const [ticket, resolve] of this.held) {
      if (!this.words.isPast(ticket)) continue;
      this.held.delete(ticket);
      resolve();
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

  /** The host rings when a thread died that may have been the one to hand on. */
  override wake(): void {
    super.wake();
    if (native.sequencerTake(this.sequencer, this.thread.lane)) this.emit();
  }
}

export default function makeStageOutlet(data: unknown, thread: OutletThread): Outlet {
  const setup = data as StageOutletData;
  return setup.order === undefined ? new StageOutlet(setup, thread) : new OrderedOutlet(setup, thread);
}
