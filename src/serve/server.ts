/**
 * A server whose requests are handled by a module, in several threads: what serve() starts.
 */
import { EventEmitter } from 'node:events';
import { connectionDefaults, withDefaults } from '../connection-defaults.js';
import { REPLY_OUTLET } from '../entry-files.js';
import { ArgumentError, argumentError, ZmqError } from '../errors.js';
import { tellListeners } from '../event-listener.js';
import {
  checkEndpoints,
  checkHandlerOptions,
  checkSocketOptions,
  HANDLER_OPTION_NAMES,
  type HandlerOptions,
} from '../lanes/host-options.js';
import { LaneHost } from '../lanes/lane-host.js';
import type { LostMessage, ThreadEvent } from '../lanes/lane-host-options.js';
import { LaneIo } from '../lanes/lane-io.js';
import { asBuffer, splitMessage, sumOf } from '../lanes/lane-message.js';
import type { LaneStats } from '../lanes/lane-stats.js';
import { checkMetrics, Metrics, type MetricsOptions } from '../lanes/metrics.js';
import type { LogLevel, ReportedMessage } from '../lanes/outlet.js';
import { BODY_AFTER_DELIMITER, BODY_AFTER_ROUTING_ID, nativeRoute, type Route } from '../lanes/route.js';
import { type DrainOptions, Ending, type EndTime, onThreads, RateMeter } from '../lanes/run.js';
import type { SocketOptions } from '../option-types.js';
import { checkFlag, checkNames, checkTimeout } from '../pending.js';
import { Router } from '../sockets.js';
import { defaultErrorReply, type ErrorReply, wordedReply } from './error-reply.js';
import { ReplyQueue } from './reply-queue.js';

/** Options of `serve`. */
export interface ServeOptions extends HandlerOptions {
  /** Where to listen: an endpoint or several. */
  bind?: string | readonly string[] | undefined;
  /**
   * What to connect to: a broker's back end, or several. The socket then starts from {@link connectionDefaults}, and a
   * `sendHighWaterMark` of 10,000 and `maxInFlight`.
   */
  connect?: string | readonly string[] | undefined;
  /** How requests are spread over the threads; `'least-loaded'` unless told. */
  route?: Route | undefined;
  /**
   * What a failed request is answered with: a function, called in this thread; `false` for nothing. Unless told, the
   * function `errorReply` of the handler's module if it exports one, or else one frame of JSON with the error's name,
   * message and code. That export has no part in requests whose thread died, or that no thread got: only a function
   * given here has. Of the latter it gets no frames.
   */
  errorReply?: ErrorReply | false | undefined;
  /**
   * How long a reply may wait for a peer that does not read, in milliseconds; unless told 10 s, or 4 s with `connect`,
   * as long as TCP takes to find a broker that is gone. Replies to a peer that had no room in all that time are dropped
   * at once, until it has some: while they wait they are in flight, and may hold up other peers' requests.
   */
  replyTimeout?: number | undefined;
  /**
   * Whether an empty frame separates the envelope from the body, as REQ peers and brokers have it; true unless told.
   * Messages without an empty frame have only a routing id before their body either way.
   */
  delimiter?: boolean | undefined;
  /** Metrics for Prometheus, none unless told. */
  metrics?: MetricsOptions | undefined;
  /** Options of the ROUTER socket: high-water marks, CURVE keys, `context`, ...; it is always `mandatory`. */
  socketOptions?: SocketOptions | undefined;
}

const OPTION_NAMES: readonly string[] = [
  ...HANDLER_OPTION_NAMES,
  'bind',
  'connect',
  'route',
  'errorReply',
  'replyTimeout',
  'delimiter',
  'metrics',
  'socketOptions',
] satisfies readonly (keyof ServeOptions)[];

/** Options of a server's `close`. */
export type ServerCloseOptions = DrainOptions;

/** What `close` came to. */
export interface ServerCloseResult {
  /** Requests that were accepted and not answered. */
  readonly unfinished: number;
}

/** Where an error came from. */
export interface ServerErrorInfo {
  /**
   * `'handler'`: it threw, rejected or took too long. `'thread'`: a handler thread died. `'lost'`: it died while it
   * ran this request. `'refused'`: no thread can get it, since it is too large or there is no memory for it.
   * `'reply'`: the peer is gone or does not read. `'circuit'`: a thread died too often and is not replaced for a
   * while. `'close'`: the server closed before it was done.
   */
  readonly type: 'handler' | 'thread' | 'lost' | 'refused' | 'reply' | 'circuit' | 'close';
  /** The handler thread's number; undefined where the error is of no thread. */
  readonly thread: number | undefined;
  /** The frames of the request, without the envelope; not those of one that was refused. */
  readonly request: Buffer[] | undefined;
  /** Who sent the request. */
  readonly routingId: Buffer | undefined;
  /** What became of a lost request: tried again, answered with an error, or not known. */
  readonly outcome?: LostMessage['outcome'];
}

export interface ServerStats {
  /** Milliseconds since it started. */
  readonly uptime: number;
  /** Requests done with per second, since the last call or the start. */
  readonly rate: number;
  /** Requests done with, well or not. */
  readonly handled: number;
  /** Requests whose handler threw, rejected or took too long. */
  readonly failed: number;
  /** Replies sent. */
  readonly sent: number;
  /** Replies that could not be sent, because the peer was gone or did not read, and requests that were refused. */
  readonly dropped: number;
  /** Requests that are accepted and not done with. */
  readonly inFlight: number;
  /** The handler threads. */
  readonly threads: readonly LaneStats[];
}

export interface ServerEvents {
  /** Something went wrong, with a request or a thread. Without a listener nothing is raised. */
  error: [error: Error, info: ServerErrorInfo];
  /** A handler thread started or died. */
  thread: [event: ThreadEvent];
  /** A handler's `logger` was called. */
  log: [level: LogLevel, args: unknown[], thread: number];
  /** The server is closed. */
  close: [result: ServerCloseResult];
}

/**
 * A running server.
 *
 * ```ts
 * server.on('error', (error, { type, request }) => console.error(type, error.message));
 * process.once('SIGTERM', () => server.close());
 * ```
 */
export class Server extends EventEmitter<ServerEvents> {
  /** The endpoint it listens on, or is connected to: the first where there are several. */
  readonly endpoint: string;
  /** All endpoints that it listens on, wildcards filled in, and then those that it is connected to. */
  readonly endpoints: readonly string[];
  /** Where Prometheus finds the metrics, with `metrics.port`. */
  readonly metricsUrl: string | undefined;
  readonly #metrics: Metrics | undefined;
  readonly #socket: Router;
  readonly #io: LaneIo;
  readonly #host: LaneHost;
  readonly #replies: ReplyQueue;
  readonly #errorReply: ErrorReply | false | undefined;
  readonly #rate = new RateMeter();
  readonly #ending = new Ending((time) => this.#end(time));

  /** @internal */
  constructor(made: {
    socket: Router;
    io: LaneIo;
    host: LaneHost;
    endpoints: readonly string[];
    replies: ReplyQueue;
    errorReply: ErrorReply | false | undefined;
    metrics: Metrics | undefined;
  }) {
    super();
    this.#socket = made.socket;
    this.#io = made.io;
    this.#host = made.host;
    this.#replies = made.replies;
    this.#errorReply = made.errorReply;
    this.#metrics = made.metrics;
    this.metricsUrl = made.metrics?.url;
    this.endpoints = made.endpoints;
    this.endpoint = made.endpoints[0]!;
    const { host } = made;
    host.on('failed', (error, message, thread) => this.#report(error, 'handler', thread, message));
    host.on('dropped', (error, message, thread) => this.#report(error, 'reply', thread, message));
    host.on('lost', (lost) =>
      this.#report(lost.error, 'lost', lost.thread, splitMessage(lost), lost.outcome),
    );
    host.on('refused', (error, message) => {
      this.#report(error, 'refused', undefined, message);
      if (message.envelope.length > 0) this.answer(message, error);
    });
    onThreads(
      host,
      (event) => tellListeners(() => this.emit('thread', event)),
      (error, type, thread) => this.#report(error, type, thread),
    );
    host.on('log', (level, args, thread) => tellListeners(() => this.emit('log', level, args, thread)));
  }

  /** What it has done so far, and is doing. */
  stats(): ServerStats {
    const threads = this.#host.stats();
    const sums = sumOf(threads, this.#host.pending, this.#host.refused);
    return { ...this.#rate.look(sums.handled), ...sums, threads };
  }

  /** Whether it is closed, or about to. */
  get closed(): boolean {
    return this.#ending.begun;
  }

  /**
   * Takes no new requests, finishes those that were accepted and sends their replies, then ends the threads. Calling
   * it again gives the same promise; with options that leave less time it hastens the end.
   *
   * @returns how many requests could not be finished in time; each is reported as an `'error'`, too
   */
  close(options?: ServerCloseOptions): Promise<ServerCloseResult> {
    return this.#ending.begin(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #end(time: EndTime): Promise<ServerCloseResult> {
    const host = this.#host;
    host.pauseSources();
    await time.finish(
      (isOver) => host.drained(isOver),
      () => host.abort(),
    );
    const left = await host.close();
    this.#replies.close();
    this.#socket.close({ linger: time.linger });
    this.#io.close();
    this.#metrics?.close();
    for (const message of left) {
      const error = new ZmqError('The server closed before the request was done', { code: 'ECANCELED' });
      this.#report(error, 'close', undefined, splitMessage(message));
    }
    const result = { unfinished: left.length };
    tellListeners(() => this.emit('close', result));
    return result;
  }

  #report(
    error: Error,
    type: ServerErrorInfo['type'],
    thread: number | undefined,
    message?: ReportedMessage,
    outcome?: LostMessage['outcome'],
  ): void {
    if (this.listenerCount('error') === 0) return;
    const info: ServerErrorInfo = {
      type,
      thread,
      request: type === 'refused' ? undefined : message?.frames.map(asBuffer),
      routingId: message?.envelope[0] && asBuffer(message.envelope[0]),
      ...(outcome !== undefined && { outcome }),
    };
    tellListeners(() => this.emit('error', error, info));
  }

  /** @internal Answers a failed request from this thread, in place of the one that had it, if one had. */
  answer(message: ReportedMessage, error: Error, thread?: number): void {
    if (this.#errorReply === false) return;
    const wording = this.#errorReply ?? defaultErrorReply;
    const frames = wordedReply(wording, error, message.frames.map(asBuffer));
    if (frames === undefined) return;
    const count = (what: 'sent' | 'dropped'): void => {
      if (thread !== undefined) this.#host.count(thread, what);
    };
    const sent = (): void => count('sent');
    const dropped = (reason: unknown): void => {
      count('dropped');
      this.#report(reason as Error, 'reply', undefined, message);
    };
    try {
      const parts = [...message.envelope.map(asBuffer), ...frames];
      const sending = this.#replies.send(this.#socket as never, parts);
      if (sending === undefined) sent();
      else sending.then(sent, dropped);
    } catch (reason) {
      dropped(reason);
    }
  }
}

/**
 * What a broker that died has left here, up to the receive high-water mark and what libzmq has read beyond it, is
 * handled all the same: libzmq finds the broker dead behind its last request. The replies find room, so that nobody
 * else's requests wait for them.
 */
const ROOM_FOR_REPLIES = 10_000;

/** Checks the options, opens the socket and starts the threads; see `serve`. */
export async function startServer(options: ServeOptions): Promise<Server> {
  if (typeof options !== 'object' || options === null) throw argumentError('options', 'an object', options);
  checkNames('options', options, OPTION_NAMES);
  const bind = checkEndpoints('bind', options.bind);
  const connect = checkEndpoints('connect', options.connect);
  if (bind.length + connect.length === 0) {
    throw new ArgumentError("options: expected 'bind' or 'connect', got neither");
  }
  const { errorReply, route = 'least-loaded', delimiter } = options;
  const { replyTimeout = connect.length > 0 ? connectionDefaults.tcpMaxRetransmitTimeout : 10_000 } = options;
  if (errorReply !== undefined && errorReply !== false && typeof errorReply !== 'function') {
    throw argumentError('errorReply', 'a function or false', errorReply);
  }
  checkSocketOptions('socketOptions', options.socketOptions);
  const patience = checkTimeout(replyTimeout, 'replyTimeout');
  const delimited = delimiter === undefined || checkFlag('delimiter', delimiter);
  const routing = nativeRoute(route, delimited ? BODY_AFTER_DELIMITER : BODY_AFTER_ROUTING_ID);
  const handling = checkHandlerOptions(options, typeof route === 'object');
  const measuring = checkMetrics(options.metrics, 'serve');
  const defaults =
    connect.length > 0
      ? { ...connectionDefaults, sendHighWaterMark: ROOM_FOR_REPLIES + handling.maxInFlight }
      : {};
  // Replies to peers that are gone, or full, must not be dropped in silence.
  const socket = new Router({ ...withDefaults(defaults, options.socketOptions), mandatory: true });
  const io = new LaneIo();
  const replies = new ReplyQueue(patience < 0 ? Infinity : patience);
  let server: Server | undefined;
  let host: LaneHost | undefined;
  let metrics: Metrics | undefined;
  try {
    metrics = measuring && (await Metrics.start(measuring, () => (host === undefined ? [] : [host.stats()])));
    const endpoints = [...bind.map((endpoint) => socket.bind(endpoint)), ...connect];
    for (const endpoint of connect) socket.connect(endpoint);
    host = await LaneHost.start({
      ...handling,
      label: 'serve',
      io,
      sources: [socket as never],
      route: routing,
      outlet: {
        module: REPLY_OUTLET.href,
        data: {
          socket: socket.share(),
          errorReply: errorReply === false ? 'none' : errorReply === undefined ? 'thread' : 'host',
          patience: replies.patience,
        },
      },
      onAsk: (message, error, thread) => server?.answer(message, error, thread),
      onLost: (lost) => server?.answer(splitMessage(lost), lost.error, lost.thread),
    });
    server = new Server({ socket, io, host, endpoints, replies, errorReply, metrics });
    return server;
  } catch (error) {
    metrics?.close();
    socket.close({ linger: 0 });
    io.close();
    throw error;
  }
}
