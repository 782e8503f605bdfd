/**
 * Proxy: moves messages between two sockets in a native thread.
 *
 * 1. While it runs, the addon refuses to send and receive on its sockets (EBUSY), in every thread that has them.
 * 2. A running proxy, and through it its sockets, is kept from the garbage collector, and keeps the process.
 * 3. The addon calls back once, when the thread has let go of the sockets.
 */
import type { Attachment } from './attachment.js';
import {
  ArgumentError,
  argumentError,
  ContextClosedError,
  errnoCode,
  SocketClosedError,
  ZmqError,
  zmqError,
} from './errors.js';
import { native } from './native.js';
import { checkFlag, checkOptions } from './pending.js';
import { checkCapture, waysBetween } from './proxy-sockets.js';
import { attachmentOf, Socket } from './socket.js';
import type { CommonSocket } from './sockets.js';

/** Options of a proxy. */
export interface ProxyOptions {
  /** Gets a copy of every message, whichever way it goes: a PUB, PUSH, PAIR or DEALER socket. */
  capture?: CommonSocket | undefined;
  /** Whether to close the sockets, the capture too, when the proxy ends; they stay open unless told. */
  closeSockets?: boolean | undefined;
}

/** What a proxy moved through one of its sockets. A message counts once, however many frames it has. */
export interface ProxySideStatistics {
  /** Messages received from the socket. */
  readonly messagesIn: number;
  /** Bytes in all their frames. */
  readonly bytesIn: number;
  /** Messages sent to the socket. */
  readonly messagesOut: number;
  /** Bytes in all their frames. */
  readonly bytesOut: number;
  /** Messages that the socket refused, such as a ROUTER with `mandatory` for a peer that is not there. */
  readonly undeliverable: number;
}

/** What a proxy moved so far. */
export interface ProxyStatistics {
  /** What went through the frontend. */
  readonly frontend: ProxySideStatistics;
  /** What went through the backend. */
  readonly backend: ProxySideStatistics;
  /** Copies sent to the capture socket. */
  readonly captured: { readonly messages: number; readonly bytes: number };
}

/** `'ready'` before `run()`, `'ended'` after `terminate()` or when a socket was closed. */
export type ProxyState = 'ready' | 'running' | 'paused' | 'ended';

const PLACES = ['frontend', 'backend', 'capture'];

/** Nobody else may hold a proxy that runs. */
const running = new Set<Proxy>();

/**
 * Moves messages between two sockets. {@link proxy} makes one and runs it.
 *
 * ```ts
 * const broker = new Proxy(router, dealer);
 * await broker.run(); // until somebody terminates it
 * ```
 */
// biome-ignore lint/suspicious/noShadowRestrictedNames: what npm zeromq calls it; the built-in is not used here
export class Proxy {
  /** The one socket, as it was given. */
  readonly frontend: CommonSocket;
  /** The other socket, as it was given. */
  readonly backend: CommonSocket;
  /** The socket that gets a copy of every message, if any. */
  readonly capture: CommonSocket | undefined;
  /**
   * Settles when the proxy has ended and let go of its sockets: resolves after `terminate()`, rejects when something
   * else was the reason, with {@link SocketClosedError} or {@link ContextClosedError} if that was that a socket or its
   * context was closed. A rejection that nobody looks at is no unhandled one.
   */
  readonly finished: Promise<void>;
  readonly #ways: number;
  readonly #closeSockets: boolean;
  #slot = -1;
  #state: ProxyState = 'ready';
  #kept = true;
  #statistics = statisticsOf([]);
  #resolve!: () => void;
  #reject!: (reason: unknown) => void;

  /**
   * @param frontend the socket that clients talk to
   * @param backend the socket that services talk to; may be the same one, which then gets back what it received
   * @param options or, as for libzmq's `zmq_proxy`, the capture socket itself
   * @throws {@link ArgumentError} for a closed socket, for types between which no message can go, and for a capture
   *   socket of another type
   */
  constructor(frontend: CommonSocket, backend: CommonSocket, options?: ProxyOptions | CommonSocket) {
    const { capture, closeSockets }: ProxyOptions =
      options instanceof Socket
        ? { capture: options }
        : checkOptions(options as ProxyOptions | undefined, ['capture', 'closeSockets']);
    checkOpen('frontend', frontend);
    checkOpen('backend', backend);
    this.#ways = waysBetween(frontend, backend);
    if (capture !== undefined) {
      checkOpen('options.capture', capture);
      checkCapture(capture, frontend, backend);
    }
    this.#closeSockets = checkFlag('options.closeSockets', closeSockets);
    this.frontend = frontend;
    this.backend = backend;
    this.capture = capture;
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.finished.catch(() => {});
  }

  /** The frontend, by the name it has in npm `zeromq`. */
  get frontEnd(): CommonSocket {
    return this.frontend;
  }

  /** The backend, by the name it has in npm `zeromq`. */
  get backEnd(): CommonSocket {
    return this.backend;
  }

  /** What it does now. */
  get state(): ProxyState {
    return this.#state;
  }

  /** Whether it has ended. */
  get closed(): boolean {
    return this.#state === 'ended';
  }

  /**
   * Starts the proxy. What this thread has received ahead from the sockets is moved first.
   *
   * @returns `finished`
   * @throws {@link ArgumentError} if it was started before, {@link SocketClosedError} for a socket closed since;
   *   {@link ZmqError} `'EBUSY'` if a receive waits on a socket, a message is half sent or half received, or another
   *   proxy has it
   */
  run(): Promise<void> {
    if (this.#state !== 'ready') throw new ArgumentError(`Proxy is ${this.#state}, cannot run it`);
    const sockets = [this.frontend, this.backend, this.capture].flatMap((socket, index) =>
      socket === undefined ? [] : [{ name: PLACES[index]!, attachment: attachment(socket) }],
    );
    for (const { name, attachment } of sockets) {
      if (attachment.closed) throw attachment.ended ?? new SocketClosedError();
      const obstacle = attachment.receiver.obstacle;
      if (obstacle !== undefined) throw busyError(name, obstacle);
    }
    const [front, back] = [attachment(this.frontend), attachment(this.backend)];
    const capture = this.capture === undefined ? -1 : attachment(this.capture).slot;
    const slot = native.proxyOpen(front.slot, back.slot, capture, this.#ways);
    if (typeof slot !== 'number') throw startError(slot);
    if (slot < 0) throw zmqError(-slot, 'Cannot run a proxy');
    this.#slot = slot;
    for (const { attachment } of sockets) attachment.receiver.stopAhead();
    const fromFrontend = front.receiver.takeAhead();
    const fromBackend = back === front ? [] : back.receiver.takeAhead();
    this.#state = 'running';
    running.add(this);
    const errno = native.proxyStart(slot, fromFrontend, fromBackend, () => this.#ended());
    if (errno !== 0) {
      this.#finish(zmqError(errno, 'Cannot run a proxy', 'no thread is to be had'));
      throw zmqError(errno, 'Cannot run a proxy', 'no thread is to be had');
    }
    if (!this.#kept) {
      native.proxyKeep(slot, false);
    }
    return this.finished;
  }

  /**
   * Holds all messages where they are. When this returns nothing moves any more, until `resume()`; what comes waits
   * with libzmq, for as long as there is room. Pausing a paused proxy does nothing.
   *
   * @throws {@link ArgumentError} unless the proxy runs
   */
  pause(): void {
    this.#checkRuns('pause');
    native.proxyPause(this.#slot);
    this.#state = 'paused';
  }

  /** Lets messages go on. Resuming a proxy that is not paused does nothing. @throws as `pause` */
  resume(): void {
    this.#checkRuns('resume');
    native.proxyResume(this.#slot);
    this.#state = 'running';
  }

  /**
   * Ends the proxy. Never waits for a peer: messages that were taken from one socket and found no room in the other
   * yet are sent by that other socket as what was sent on it before. Doing it again gives the same promise.
   *
   * @returns a promise that resolves when the sockets can be used again, or are closed if that was asked for
   */
  terminate(): Promise<void> {
    if (this.#state === 'ready') this.#finish();
    else if (this.#state !== 'ended') native.proxyStop(this.#slot);
    return this.finished.catch(() => {});
  }

  /** The same as `terminate`. */
  close(): Promise<void> {
    return this.terminate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.terminate();
  }

  /** What was moved so far: all that had arrived anywhere before the call is counted. Stays when the proxy ends. */
  statistics(): ProxyStatistics {
    if (this.#slot >= 0) this.#statistics = statisticsOf(native.proxyStatistics(this.#slot));
    return this.#statistics;
  }

  /** The process stays while the proxy runs, which it does unless told. */
  ref(): this {
    this.#keep(true);
    return this;
  }

  /** The process may end although the proxy runs. */
  unref(): this {
    this.#keep(false);
    return this;
  }

  #keep(keep: boolean): void {
    if (keep === this.#kept) return;
    this.#kept = keep;
    if (this.#slot >= 0) native.proxyKeep(this.#slot, keep);
  }

  #checkRuns(what: string): void {
    if (this.#state === 'running' || this.#state === 'paused') return;
    throw new ArgumentError(
      `Proxy is ${this.#state === 'ready' ? 'not running' : 'ended'}, cannot ${what} it`,
    );
  }

  #ended(): void {
    const [errno, place] = native.proxyEnd(this.#slot);
    this.#finish(errno === 0 ? undefined : endError(errno, place));
  }

  #finish(error?: ZmqError): void {
    this.statistics();
    if (this.#slot >= 0) native.proxyRelease(this.#slot);
    this.#slot = -1;
    this.#state = 'ended';
    running.delete(this);
    if (this.#closeSockets) for (const socket of [this.frontend, this.backend, this.capture]) socket?.close();
    if (error === undefined) this.#resolve();
    else this.#reject(error);
  }
}

/**
 * Moves messages between two sockets, in a native thread of its own: what comes from the frontend goes to the backend,
 * and back where the types allow it. Typical pairs are ROUTER and DEALER (requests), XSUB and XPUB (subscriptions), PULL
 * and PUSH (work).
 *
 * ```ts
 * const frontend = new Router();
 * const backend = new Dealer();
 * frontend.bind('tcp://*:5559');
 * backend.bind('tcp://*:5560');
 * const broker = proxy(frontend, backend);
 * ```
 *
 * @returns the proxy, which runs
 * @throws as {@link Proxy}'s constructor and `run()`
 */
export function proxy(
  frontend: CommonSocket,
  backend: CommonSocket,
  options?: ProxyOptions | CommonSocket,
): Proxy {
  const made = new Proxy(frontend, backend, options);
  void made.run();
  return made;
}

function attachment(socket: CommonSocket): Attachment {
  return attachmentOf(socket as unknown as Socket);
}

function checkOpen(name: string, socket: unknown): void {
  if (!(socket instanceof Socket)) throw argumentError(name, 'a socket', socket);
  if (socket.closed) throw new ArgumentError(`${name}: expected an open socket, got a closed one`);
}

function busyError(name: string, why: string): ZmqError {
  return new ZmqError(`Cannot run a proxy: ${name}: ${why} (EBUSY)`, { code: 'EBUSY' });
}

function startError([errno, place]: readonly [number, number]): ZmqError {
  const name = PLACES[place] ?? 'proxy';
  if (errnoCode(errno) === 'EBUSY') {
    return busyError(name, 'another proxy has the socket, or a message is half sent');
  }
  return zmqError(errno, `Cannot run a proxy: ${name}`);
}

function endError(errno: number, place: number): ZmqError {
  const what = `The proxy ended: its ${PLACES[place]}`;
  if (errnoCode(errno) === 'ENOTSOCK') return new SocketClosedError(`${what} was closed`);
  if (errnoCode(errno) === 'ETERM') return new ContextClosedError(`${what}'s context was closed`);
  return zmqError(errno, 'The proxy failed');
}

function statisticsOf(values: readonly number[]): ProxyStatistics {
  const at = (index: number): number => values[index] ?? 0;
  const side = (first: number): ProxySideStatistics => ({
    messagesIn: at(first),
    bytesIn: at(first + 1),
    messagesOut: at(first + 2),
    bytesOut: at(first + 3),
    undeliverable: at(first + 4),
  });
  return { frontend: side(0), backend: side(5), captured: { messages: at(10), bytes: at(11) } };
}
