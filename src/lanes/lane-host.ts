/**
 * The host of handler threads: makes the lanes, keeps a thread at each, and takes care of what a dead thread left.
 *
 * 1. No message passes through the host's thread. It acts when a thread comes, dies, or reports something.
 * 2. A dead thread's lane is rescued only when no JavaScript of that thread can run any more (`laneGone`); the thread
 *    that replaces it gets a new lane.
 */
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { deserialize } from 'node:v8';
import { Piscina } from 'piscina';
import { diagnostics } from '../diagnostics.js';
import { HANDLER_THREAD } from '../entry-files.js';
import { HandlerError, TimeoutError } from '../errors.js';
import { LARGEST_CHUNK_BYTES, ORDER_ABORT, ORDER_STOP } from '../layout.js';
import { type LaneMessage, native } from '../native.js';
import { LONGEST_TIMER } from '../pending.js';
import { attachmentOf } from '../socket.js';
import { Circuit } from './circuit.js';
import { workerOptionError } from './host-options.js';
import { HostedLane } from './lane.js';
import type { LaneHostEvents, LaneHostOptions, LostMessage, ThreadEvent } from './lane-host-options.js';
import { refusalOf, splitMessage } from './lane-message.js';
import { LaneCounts, type LaneStats } from './lane-stats.js';
import type { Report, ThreadTask } from './outlet.js';
import { asError, fromWire } from './wire-error.js';

/** Bytes that wait in all lanes together; a single message may be larger. */
const MOST_BYTES = 64 * 1024 * 1024;
/** How often the host looks whether a thread is gone, or all is done, in milliseconds. */
const LOOK_MS = 2;
/** How long threads may take to end by themselves, in milliseconds. */
const TEARDOWN_MS = 2000;

export class LaneHost extends EventEmitter<LaneHostEvents> {
  readonly group: number;
  /** Messages that came and that no thread could get. */
  refused = 0;
  private readonly lanes: (HostedLane | undefined)[];
  private readonly counts: LaneCounts[];
  private readonly circuits: Circuit[];
  private readonly pool: Piscina;
  private readonly ends = new Set<Promise<void>>();
  private readonly replacements = new Map<number, NodeJS.Timeout>();
  private watchdog: NodeJS.Timeout | undefined;
  private stopping = false;
  private started = false;
  private closed = false;
  /** Whether threads that did not end by themselves are made to. */
  private ending = false;

  private constructor(private readonly options: LaneHostOptions) {
    super();
    const { threads, route, io, maxInFlight, worker } = options;
    this.group = native.groupCreate(
      io.loop,
      threads,
      maxInFlight,
      LARGEST_CHUNK_BYTES,
      route.policy,
      route.bodyAt,
      route.frame,
      route.start,
      route.end,
    );
    this.lanes = Array.from({ length: threads });
    this.counts = Array.from({ length: threads }, () => new LaneCounts());
    this.circuits = Array.from({ length: threads }, () => new Circuit(options.circuit));
    try {
      this.pool = new Piscina({
        ...worker,
        filename: HANDLER_THREAD.href,
        minThreads: threads,
        maxThreads: threads,
        idleTimeout: Number.POSITIVE_INFINITY,
        concurrentTasksPerWorker: 1,
        atomics: 'disabled',
        recordTiming: false,
      } as ConstructorParameters<typeof Piscina>[0]);
    } catch (error) {
      native.groupClose(this.group);
      throw workerOptionError(error);
    }
    // Of a thread without a task: it is being replaced, or ends.
    this.pool.on('error', () => {});
    io.listen(this.group, () => this.readRefused());
  }

  /**
   * Starts the threads; sources are served once all are ready.
   *
   * @throws (rejects) {@link HandlerError} if a thread does not come up, with the reason as its cause;
   *   {@link ContextClosedError} or {@link SocketClosedError} if a source is closed meanwhile
   */
  static async start(options: LaneHostOptions): Promise<LaneHost> {
    const host = new LaneHost(options);
    const sources = options.sources.map(attachmentOf);
    const closed = (): Error | undefined => sources.find((source) => source.closed)?.ended;
    try {
      await Promise.all(host.lanes.map((_, index) => host.startThread(index)));
      if (closed() !== undefined) throw closed();
    } catch (error) {
      await host.close();
      // Of which threads may have failed, too.
      throw closed() ?? error;
    }
    host.started = true;
    for (const { slot } of sources) native.groupAddSource(host.group, slot);
    const longest = options.timeout + options.grace;
    if (options.timeout >= 0 && options.grace >= 0 && longest <= LONGEST_TIMER) host.watch();
    return host;
  }

  /** Resolves once the thread takes messages, and rejects if it dies before. */
  private startThread(index: number): Promise<void> {
    const { options } = this;
    const most = Math.ceil(options.maxInFlight / options.threads);
    return new Promise((resolve, reject) => {
      let overdue: NodeJS.Timeout | undefined;
      const lane = new HostedLane(
        this.group,
        index,
        most,
        Math.max(1, Math.floor(MOST_BYTES / options.threads)),
        options.io,
        (report) => {
          if (report.type === 'ready') {
            clearTimeout(overdue);
            lane.ready = true;
            this.circuits[index]!.open = false;
            this.tellOfThread({ type: 'started', thread: index });
            resolve();
          } else {
            this.read(lane, report);
            // Before it has come it cannot be ended.
            if (report.type === 'hello') overdue = this.limitSetup(lane);
          }
        },
      );
      this.lanes[index] = lane;
      const ended = async (thrown: unknown): Promise<void> => {
        const error = await this.died(lane, asError(thrown));
        clearTimeout(overdue); // its last reports are read
        reject(error);
      };
      const end = this.run(lane).then(async () => {
        // It was told to, and close() does the rest; or it died of something that was thrown and is nothing.
        if (!this.stopping) await ended(new Error('it ended by itself'));
      }, ended);
      this.ends.add(end);
      void end.finally(() => this.ends.delete(end));
    });
  }

  /** Ends a thread that does not get ready. */
  private limitSetup(lane: HostedLane): NodeJS.Timeout | undefined {
    const { setupTimeout } = this.options;
    if (setupTimeout < 0 || setupTimeout > LONGEST_TIMER) return undefined;
    return setTimeout(
      () => this.terminate(lane, new TimeoutError('setup', setupTimeout / 1000)),
      setupTimeout,
    );
  }

  private run(lane: HostedLane): Promise<unknown> {
    const { options } = this;
    const { chunks, reports } = lane.ports;
    const counts = this.counts[lane.index]!;
    const task: ThreadTask = {
      label: options.label,
      index: lane.index,
      lane: lane.id,
      control: lane.control,
      chunks,
      reports,
      handler: options.handler,
      outlet: options.outlet,
      concurrency: options.concurrency,
      batch: options.batch,
      timeout: options.timeout,
      latency: counts.latency,
      service: counts.service,
    };
    return this.pool.run(task, { transferList: [chunks, reports] });
  }

  private read(lane: HostedLane, report: Report): void {
    const { index } = lane;
    switch (report.type) {
      case 'hello':
        lane.threadId = report.threadId;
        break;
      case 'failed':
      case 'dropped': {
        const error = fromWire(report.error);
        const { message } = report;
        const told = report.type === 'failed' ? diagnostics.handlerFailed : diagnostics.handlerDropped;
        if (told.hasSubscribers) told.publish({ label: this.options.label, thread: index, error, message });
        this.emit(report.type, error, message, index);
        break;
      }
      case 'log':
        this.emit('log', report.level, deserialize(report.args) as unknown[], index);
        break;
      case 'ask':
        this.options.onAsk?.(report.message, fromWire(report.error), index);
        lane.answer(report.id, report.message.ticket);
        break;
      default:
    }
  }

  /** A thread ended otherwise than by being told. */
  private async died(lane: HostedLane, reason: Error): Promise<Error> {
    while (!lane.gone) await sleep(LOOK_MS);
    lane.readReports();
    const { index } = lane;
    const { started, stopping } = this;
    const cause = lane.endedFor ?? reason;
    const error =
      reason instanceof HandlerError || reason.name === 'HandlerError'
        ? new HandlerError(reason.message, { cause: reason.cause ?? reason })
        : new HandlerError(`${this.options.label}: handler thread ${index} died: ${cause.message}`, {
            cause,
          });
    if (this.lanes[index] === lane) this.lanes[index] = undefined;
    if (stopping) {
      this.lanes[index] = lane; // close() counts what it left
      if (started && !this.ending) this.tellOfThread({ type: 'died', thread: index, error });
      return error;
    }
    // First: whoever hears of what is lost may look at the stats.
    this.counts[index]!.end(lane);
    this.rescue(lane, error, this.options.retries);
    lane.release();
    if (!started && !lane.ready) return error; // start() tells of it
    this.counts[index]!.deaths += 1;
    this.tellOfThread({ type: 'died', thread: index, error });
    this.replace(index, error);
    return error;
  }

  /** Un-begun messages go to other threads; @returns how many messages were begun and are not tried again */
  private rescue(lane: HostedLane, error: Error, retries: number): number {
    const begun = native.laneRescue(lane.id, retries);
    let lost = 0;
    const all: LostMessage[] = [];
    const { answered } = lane;
    for (const { delivering, ...message } of begun) {
      const { ticket } = message;
      if (delivering && (answered.has(ticket) || this.options.isSafe?.(ticket))) {
        this.counts[lane.index]!.handled += 1;
        continue;
      }
      const again = !delivering && message.attempts < retries;
      const outcome = delivering ? 'unknown' : again ? 'retried' : 'failed';
      if (!again) lost += 1;
      const told: LostMessage = { ...message, error, thread: lane.index, outcome };
      if (outcome === 'failed') this.options.onLost?.(told);
      this.counts[lane.index]![again ? 'retried' : 'lost'] += 1;
      all.push(told);
      if (diagnostics.handlerLost.hasSubscribers) {
        const { label } = this.options;
        const split = splitMessage(message);
        diagnostics.handlerLost.publish({ label, thread: lane.index, error, message: split, outcome });
      }
      this.emit('lost', told);
    }
    this.options.onThreadGone?.(lane.id, all);
    return lost;
  }

  private readRefused(): void {
    for (const message of native.groupTakeRefused(this.group)) {
      const error = refusalOf(message);
      this.refused += 1;
      const told = splitMessage(message);
      if (diagnostics.handlerRefused.hasSubscribers) {
        diagnostics.handlerRefused.publish({ label: this.options.label, error, message: told });
      }
      this.emit('refused', error, told);
    }
  }

  private tellOfThread(event: ThreadEvent): void {
    if (diagnostics.handlerThread.hasSubscribers) {
      diagnostics.handlerThread.publish({ label: this.options.label, ...event });
    }
    this.emit('thread', event);
  }

  private replace(index: number, error: Error): void {
    const circuit = this.circuits[index]!;
    const wait = circuit.died(performance.now());
    const start = (): void => {
      this.replacements.delete(index);
      // What it dies of, if it does, is dealt with like any death.
      if (!this.stopping) this.startThread(index).catch(() => {});
    };
    if (wait === 0 && !circuit.open) {
      start();
      return;
    }
    this.tellOfThread({ type: 'circuit-open', thread: index, error, wait });
    this.replacements.set(index, setTimeout(start, wait));
  }

  /** Ends threads whose handler blocks them beyond the time it has. */
  private watch(): void {
    const { timeout, grace } = this.options;
    const every = Math.min(1000, Math.max(10, (timeout + grace) / 4));
    this.watchdog = setInterval(() => {
      const [seconds, nanoseconds] = process.hrtime();
      const latest = seconds * 1e3 + nanoseconds / 1e6 - timeout - grace;
      for (const lane of this.lanes) {
        if (lane === undefined || lane.endedFor !== undefined || !lane.runsSinceBefore(latest)) continue;
        if (this.terminate(lane, new TimeoutError('handler', timeout / 1000)))
          this.counts[lane.index]!.timedOut += 1;
      }
    }, every);
    this.watchdog.unref();
  }

  /** @returns whether its thread is there to be ended */
  private terminate(lane: HostedLane, reason: Error): boolean {
    const { threadId } = lane;
    const worker = this.pool.threads.find((thread) => thread.threadId === threadId);
    if (threadId === undefined || worker === undefined) return false;
    lane.endedFor = reason;
    void worker.terminate();
    return true;
  }

  /** One entry for each thread. */
  stats(): LaneStats[] {
    return this.lanes.map((lane, index) =>
      this.counts[index]!.stats(index, lane, this.circuits[index]!.open, this.closed),
    );
  }

  /** What became of a message that this thread sent in place of a handler thread. */
  count(thread: number, outcome: 'sent' | 'dropped'): void {
    this.counts[thread]![outcome] += 1;
  }

  /** How many messages are received and not in a lane yet. */
  get pending(): number {
    return this.closed ? 0 : native.groupPending(this.group);
  }

  /** Takes no message from the sources any more. */
  pauseSources(): void {
    native.groupPause(this.group);
  }

  /** Whether nothing is pending, queued or in progress. */
  get idle(): boolean {
    if (this.pending > 0) return false;
    return this.lanes.every((lane) => lane === undefined || (lane.queued === 0 && lane.inProgress === 0));
  }

  /**
   * Waits until all that was taken is done with.
   *
   * @param isOver whether to give up
   * @param also what else has to be so
   * @returns whether it is
   */
  async drained(isOver: () => boolean, also = (): boolean => true): Promise<boolean> {
    while (!this.idle || !also()) {
      if (isOver()) return false;
      await sleep(LOOK_MS);
    }
    return true;
  }

  /** Has the threads' outlets look whether there is something to do. */
  ring(): void {
    for (const lane of this.lanes) lane?.ring();
  }

  /** The signals of running handlers abort. */
  abort(): void {
    for (const lane of this.lanes) lane?.order(ORDER_ABORT);
  }

  /** Ends the threads. @returns the messages that were taken and are not done with */
  async close(): Promise<LaneMessage[]> {
    this.stopping = true;
    clearInterval(this.watchdog);
    for (const timer of this.replacements.values()) clearTimeout(timer);
    native.groupPause(this.group);
    const lanes = this.lanes.filter((lane) => lane !== undefined);
    for (const lane of lanes) lane.order(ORDER_STOP);
    const timer = new AbortController();
    await Promise.race([
      Promise.all(this.ends),
      sleep(TEARDOWN_MS, undefined, { signal: timer.signal }).catch(() => {}),
    ]);
    timer.abort();
    for (const lane of lanes) if (!lane.gone && lane.inProgress === 0) this.tellOfOverdue(lane);
    this.ending = true;
    await this.pool.destroy();
    await Promise.all(this.ends);
    const unfinished: LaneMessage[] = [];
    for (const lane of lanes) {
      this.counts[lane.index]!.end(lane);
      unfinished.push(...this.leftIn(lane));
    }
    unfinished.push(...native.groupTakePending(this.group));
    this.options.io.ignore(this.group);
    this.readRefused();
    native.groupClose(this.group);
    this.closed = true;
    this.lanes.fill(undefined);
    return unfinished;
  }

  /** What holds it up is its setup or teardown: of its handlers the messages tell. */
  private tellOfOverdue({ index }: HostedLane): void {
    const text = `${this.options.label}: handler thread ${index} did not end within ${TEARDOWN_MS / 1000} s`;
    this.tellOfThread({ type: 'died', thread: index, error: new HandlerError(text) });
  }

  private leftIn(lane: HostedLane): LaneMessage[] {
    const begun = native.laneRescue(lane.id, 0);
    lane.release();
    return begun;
  }
}
