/**
 * Messages from sources through handlers in several threads, stage after stage, to sinks: what pipeline() starts.
 */
import { EventEmitter } from 'node:events';
import { connectionDefaults, withDefaults } from '../connection-defaults.js';
import { STAGE_OUTLET } from '../entry-files.js';
import { ZmqError } from '../errors.js';
import { tellListeners } from '../event-listener.js';
import { LaneHost } from '../lanes/lane-host.js';
import type { LostMessage, ThreadEvent } from '../lanes/lane-host-options.js';
import { LaneIo } from '../lanes/lane-io.js';
import { asBuffer, splitMessage, sumOf } from '../lanes/lane-message.js';
import type { LaneStats } from '../lanes/lane-stats.js';
import { Metrics } from '../lanes/metrics.js';
import type { LogLevel, ReportedMessage } from '../lanes/outlet.js';
import { BY_KEY } from '../lanes/route.js';
import { type DrainOptions, Ending, type EndTime, onThreads, RateMeter } from '../lanes/run.js';
import { native } from '../native.js';
import { Socket } from '../socket.js';
import type { ExitData } from './exit.js';
import { OrderWords } from './order-words.js';
import type { Output } from './outputs.js';
import { type CheckedPipeline, checkPipelineOptions, type PipelineOptions } from './pipeline-options.js';
import type { StageOutletData } from './stage-outlet.js';

/**
 * The time limit on what is not acknowledged counts, too, while the peer is there and has no room, and what is under way
 * when it runs out is lost. Requests are asked again, and results are not.
 */
const CONNECTION = { ...connectionDefaults, tcpMaxRetransmitTimeout: 0 } as const;

/** Where an error came from. */
export interface PipelineErrorInfo {
  /**
   * `'handler'`: it threw, rejected or took too long. `'thread'`: a handler thread died. `'lost'`: it died while it
   * ran this message. `'refused'`: no thread of the stage can get it, since it is too large or there is no memory for
   * it. `'sink'`: a result could not be sent. `'circuit'`: a thread died too often and is not replaced for a while.
   * `'close'`: the pipeline closed before it was done.
   */
  readonly type: 'handler' | 'thread' | 'lost' | 'refused' | 'sink' | 'circuit' | 'close';
  /** Which stage, from 0. */
  readonly stage: number;
  /** The handler thread's number; undefined where the error is of no thread. */
  readonly thread: number | undefined;
  /** The frames of the message; of `'sink'` in an ordered pipeline, of the result. Not those of one that was refused. */
  readonly message: Buffer[] | undefined;
  /** What became of a lost message: tried again, dropped, or not known. */
  readonly outcome?: LostMessage['outcome'];
}

export interface PipelineStageStats {
  /** Messages done with, well or not. */
  readonly handled: number;
  /** Messages whose handler threw, rejected or took too long. */
  readonly failed: number;
  /** Results that left: to the next stage, or to the sinks. */
  readonly sent: number;
  /** Results that could not be sent, and messages that were refused. */
  readonly dropped: number;
  /** Messages that are accepted and not done with. */
  readonly inFlight: number;
  /** The stage's threads. */
  readonly threads: readonly LaneStats[];
}

export interface PipelineStats {
  /** Milliseconds since it started. */
  readonly uptime: number;
  /** Messages that the last stage did with per second, since the last call or the start. */
  readonly rate: number;
  /** The stages, from the first to the last. */
  readonly stages: readonly PipelineStageStats[];
}

/** Options of a pipeline's `close`. */
export type PipelineCloseOptions = DrainOptions;

/** What `close` came to. */
export interface PipelineCloseResult {
  /** Messages that were accepted and not done with. */
  readonly unfinished: number;
}

export interface PipelineEvents {
  /** Something went wrong, with a message or a thread. Without a listener nothing is raised. */
  error: [error: Error, info: PipelineErrorInfo];
  /** A handler thread started or died. */
  thread: [event: ThreadEvent & { readonly stage: number }];
  /** A handler's `logger` was called. */
  log: [level: LogLevel, args: unknown[], stage: number, thread: number];
  /** The pipeline is closed. */
  close: [result: PipelineCloseResult];
}

/** What is put for a lane that is gone is handed on by another. */
const NO_EMITTER = 0;

/** The order of a stage's results. */
interface StageOrder {
  readonly sequencer: number;
  readonly words: OrderWords;
}

/**
 * A running pipeline.
 *
 * ```ts
 * line.on('error', (error, { type, stage, message }) => console.error(stage, type, error.message));
 * process.once('SIGTERM', () => line.close());
 * ```
 */
export class Pipeline extends EventEmitter<PipelineEvents> {
  /** The endpoint of the first source, wildcards filled in. */
  readonly endpoint: string;
  /** The endpoints of all sources, in the order of the options. */
  readonly sources: readonly string[];
  /** The endpoints of all sinks. */
  readonly sinks: readonly string[];
  /** Where Prometheus finds the metrics, with `metrics.port`. */
  readonly metricsUrl: string | undefined;
  readonly #metrics: Metrics | undefined;
  readonly #sockets: Ends;
  readonly #io: LaneIo;
  readonly #stages: LaneHost[];
  readonly #orders: (StageOrder | undefined)[];
  readonly #deadLetterSink: number;
  /** How many of them this thread is about to send. */
  #deadLetters = 0;
  readonly #rate = new RateMeter();
  readonly #ending = new Ending((time) => this.#end(time));

  private constructor(
    checked: CheckedPipeline,
    sockets: Ends,
    io: LaneIo,
    metrics: Metrics | undefined,
    stages: LaneHost[],
  ) {
    super();
    this.#stages = stages;
    this.#metrics = metrics;
    this.metricsUrl = metrics?.url;
    this.#deadLetterSink = checked.deadLetterSink;
    this.#sockets = sockets;
    this.#io = io;
    this.sources = sockets.sourceEndpoints;
    this.sinks = sockets.sinkEndpoints;
    this.endpoint = this.sources[0]!;
    this.#orders = checked.stages.map(() =>
      checked.ordered ? { sequencer: native.sequencerCreate(), words: new OrderWords() } : undefined,
    );
  }

  /** @internal */
  static async start(checked: CheckedPipeline): Promise<Pipeline> {
    const stages: LaneHost[] = [];
    const metrics =
      checked.metrics && (await Metrics.start(checked.metrics, () => stages.map((host) => host.stats())));
    let sockets: Ends;
    try {
      sockets = new Ends(checked);
    } catch (error) {
      metrics?.close();
      throw error;
    }
    const line = new Pipeline(checked, sockets, new LaneIo(), metrics, stages);
    try {
      // The last first: each stage has to know where its results go.
      for (let index = checked.stages.length - 1; index >= 0; index -= 1) {
        line.#stages.unshift(await line.#startStage(checked, index));
      }
    } catch (error) {
      for (const host of line.#stages) await host.close();
      line.#release(0);
      throw error;
    }
    return line;
  }

  async #startStage(checked: CheckedPipeline, index: number): Promise<LaneHost> {
    const { handling, route } = checked.stages[index]!;
    const last = index === checked.stages.length - 1;
    const order = this.#orders[index];
    const names = checked.sinks.map(({ name }) => name);
    // Before the last stage only what is for a certain sink goes to one.
    const reached = last || names.some((name) => name !== undefined) ? this.#sockets.sinks : [];
    const sinks = { sockets: reached.map((socket) => socket.share()), apart: checked.deadLetterSink };
    let exit: ExitData = { type: 'none' };
    if (!last) exit = { type: 'stage', group: this.#stages[0]!.group, sinks };
    else if (reached.length > 0) exit = { type: 'sinks', sinks };
    const data: StageOutletData = {
      exit,
      sinks: names,
      deadLetterSink: checked.deadLetterSink,
      order: order && {
        sequencer: order.sequencer,
        words: order.words.words,
        byKey: route.policy === BY_KEY,
      },
    };
    const host = await LaneHost.start({
      ...handling,
      label: checked.stages.length === 1 ? 'pipeline' : `pipeline stage ${index}`,
      io: this.#io,
      sources: index === 0 ? this.#sockets.sources : [],
      route,
      outlet: { module: STAGE_OUTLET.href, data },
      ...(order !== undefined && {
        isSafe: (ticket: number) => native.sequencerHas(order.sequencer, ticket),
      }),
      onThreadGone: (lane, begun) => this.#threadGone(index, lane, begun),
    });
    host.on('failed', (error, message, thread) => this.#report(error, 'handler', index, thread, message));
    host.on('dropped', (error, message, thread) => this.#report(error, 'sink', index, thread, message));
    host.on('lost', (lost) =>
      this.#report(lost.error, 'lost', index, lost.thread, splitMessage(lost), lost.outcome),
    );
    host.on('refused', (error, message) => {
      if (order !== undefined) {
        native.sequencerSkip(order.sequencer, message.ticket);
        order.words.advance(order.sequencer, true);
        host.ring();
      }
      this.#report(error, 'refused', index, undefined, message);
    });
    onThreads(
      host,
      (event) => {
        tellListeners(() => this.emit('thread', { ...event, stage: index }));
        // Whoever is there now may have to hand on what the dead one would have.
        if (order !== undefined && event.type === 'started') host.ring();
      },
      (error, type, thread) => this.#report(error, type, index, thread),
    );
    host.on('log', (level, args, thread) =>
      tellListeners(() => this.emit('log', level, args, index, thread)),
    );
    return host;
  }

  /** What a dead thread had begun makes way for what is behind it, unless it is tried again. */
  #threadGone(stage: number, lane: number, begun: readonly LostMessage[]): void {
    const order = this.#orders[stage];
    const lost = begun.filter(({ outcome }) => outcome !== 'retried');
    if (order === undefined) {
      for (const message of lost) this.#sendDeadLetter(stage, message.thread, splitMessage(message));
      return;
    }
    native.sequencerGone(order.sequencer, lane);
    const { sequencer } = order;
    for (const message of lost) {
      if (this.#deadLetterSink < 0) native.sequencerSkip(sequencer, message.ticket);
      else {
        const letter: Output = [this.#deadLetterSink, ...splitMessage(message).frames];
        native.sequencerPut(sequencer, message.ticket, NO_EMITTER, [letter]);
      }
    }
    // It may have gone before it told that something left.
    order.words.advance(sequencer, true);
    this.#stages[stage]?.ring();
  }

  /** Of a thread that is gone: there is nobody else to send it. */
  #sendDeadLetter(stage: number, thread: number, message: ReportedMessage): void {
    const socket = this.#sockets.sinks[this.#deadLetterSink];
    if (socket === undefined) return;
    const host = this.#stages[stage];
    this.#deadLetters += 1;
    socket
      .send(message.frames)
      .then(
        () => host?.count(thread, 'sent'),
        (error: Error) => {
          host?.count(thread, 'dropped');
          this.#report(error, 'sink', stage, undefined, message);
        },
      )
      .finally(() => (this.#deadLetters -= 1));
  }

  /** What it has done so far, and is doing. */
  stats(): PipelineStats {
    const stages = this.#stages.map((host): PipelineStageStats => {
      const threads = host.stats();
      return { ...sumOf(threads, host.pending, host.refused), threads };
    });
    return { ...this.#rate.look(stages.at(-1)?.handled ?? 0), stages };
  }

  /** Whether it is closed, or about to. */
  get closed(): boolean {
    return this.#ending.begun;
  }

  /**
   * Takes no new messages, finishes those that were accepted, stage by stage, and sends their results, then ends the
   * threads. Calling it again gives the same promise; with options that leave less time it hastens the end.
   *
   * @returns how many messages could not be finished in time; each is reported as an `'error'`, too
   */
  close(options?: PipelineCloseOptions): Promise<PipelineCloseResult> {
    return this.#ending.begin(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #end(time: EndTime): Promise<PipelineCloseResult> {
    this.#stages[0]!.pauseSources();
    await time.finish(
      (isOver) => this.#drained(isOver),
      () => {
        for (const host of this.#stages) host.abort();
      },
    );
    let unfinished = 0;
    // The first stage first, so that nothing comes into one that is closed.
    for (const [stage, host] of this.#stages.entries()) {
      for (const message of await host.close()) {
        unfinished += 1;
        const error = new ZmqError('The pipeline closed before the message was done', { code: 'ECANCELED' });
        this.#report(error, 'close', stage, undefined, splitMessage(message));
      }
    }
    this.#release(time.linger);
    const result = { unfinished };
    tellListeners(() => this.emit('close', result));
    return result;
  }

  async #drained(isOver: () => boolean): Promise<boolean> {
    for (const [index, host] of this.#stages.entries()) {
      const order = this.#orders[index];
      const handedOn = (): boolean =>
        this.#deadLetters === 0 && (order === undefined || native.sequencerWaiting(order.sequencer) === 0);
      if (!(await host.drained(isOver, handedOn))) return false;
    }
    return true;
  }

  #release(linger: number): void {
    this.#sockets.close(linger);
    this.#io.close();
    this.#metrics?.close();
    for (const order of this.#orders) if (order !== undefined) native.sequencerRelease(order.sequencer);
  }

  #report(
    error: Error,
    type: PipelineErrorInfo['type'],
    stage: number,
    thread: number | undefined,
    message?: ReportedMessage,
    outcome?: LostMessage['outcome'],
  ): void {
    if (this.listenerCount('error') === 0) return;
    const info: PipelineErrorInfo = {
      type,
      stage,
      thread,
      message: type === 'refused' ? undefined : message?.frames.map(asBuffer),
      ...(outcome !== undefined && { outcome }),
    };
    tellListeners(() => this.emit('error', error, info));
  }
}

/** The sockets at either end. */
class Ends {
  readonly sources: Socket[] = [];
  readonly sinks: Socket[] = [];
  readonly sourceEndpoints: string[] = [];
  readonly sinkEndpoints: string[] = [];

  constructor(checked: CheckedPipeline) {
    try {
      // Sinks first: nothing is received before it can leave.
      for (const sink of checked.sinks) {
        this.sinks.push(open(sink, this.sinkEndpoints));
      }
      for (const source of checked.sources) {
        const socket = open(source, this.sourceEndpoints);
        this.sources.push(socket);
        if (source.type !== 'SUB') continue;
        const { subscribe = [] } = source;
        const topics = Array.isArray(subscribe) ? subscribe : [subscribe];
        socket.subscribe(...(topics as (string | Uint8Array)[]));
      }
    } catch (error) {
      this.close(0);
      throw error;
    }
  }

  close(linger: number): void {
    for (const socket of this.sources) socket.close({ linger: 0 });
    for (const socket of this.sinks) socket.close({ linger });
  }
}

function open(
  end: {
    readonly type: string;
    readonly bind: readonly string[];
    readonly connect: readonly string[];
    readonly socketOptions?: object | undefined;
  },
  endpoints: string[],
): Socket {
  const defaults = end.connect.length > 0 ? CONNECTION : {};
  const socket = new Socket(end.type as never, withDefaults(defaults, end.socketOptions) as never);
  try {
    for (const endpoint of end.bind) endpoints.push(socket.bind(endpoint));
    for (const endpoint of end.connect) {
      socket.connect(endpoint);
      endpoints.push(endpoint);
    }
  } catch (error) {
    socket.close({ linger: 0 });
    throw error;
  }
  return socket;
}

/** Checks the options, opens the sockets and starts the threads; see `pipeline`. */
export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  return Pipeline.start(checkPipelineOptions(options));
}
