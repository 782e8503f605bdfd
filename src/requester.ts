/**
 * Requester: asks again until it is answered, or says that it was not. On the wire it is a REQ socket with
 * ZMQ_REQ_CORRELATE: a request id of four bytes, an empty frame, the body. REP, a ROUTER that returns the envelope, and
 * brokers in between give all of that back, so one DEALER can have any number of requests in flight.
 */
import { randomInt } from 'node:crypto';

import { ignoreAbort, onAbort } from './cancellation.js';
import { connectionDefaults, withDefaults } from './connection-defaults.js';
import { diagnostics } from './diagnostics.js';
import { encodePart, listOfParts, type Sendable } from './encode.js';
import { argumentError, SocketClosedError, TimeoutError } from './errors.js';
import { Message } from './message.js';
import type { SocketOptions } from './option-types.js';
import { checkOptions, checkTimeout, deadlineOf, LONGEST_TIMER } from './pending.js';
import type { SendableMessage } from './socket.js';
import { Dealer } from './sockets.js';

/** How often, and for how long, a request is tried. */
export interface RequestOptions {
  /** Milliseconds that each attempt has, sending included; -1 for ever. */
  timeout?: number | undefined;
  /** How many times it is asked again when no answer came in that time. */
  retries?: number | undefined;
  /** Gives the request up: it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Options of a {@link Requester}: those below, and every option of a DEALER socket. Unless told, that has
 * {@link connectionDefaults}, `immediate` and no linger.
 */
export interface RequesterOptions extends SocketOptions<'DEALER'>, Omit<RequestOptions, 'signal'> {
  /** Where the servers or brokers are; requests go to them in rotation. */
  connect?: string | readonly string[] | undefined;
  /** Where servers connect to, for the other way round. */
  bind?: string | readonly string[] | undefined;
}

/** What a {@link Requester} has done so far. */
export interface RequesterStats {
  /** Calls of `request`. */
  requests: number;
  /** Requests that were answered. */
  answered: number;
  /** Requests that were given up: no answer after the last attempt. */
  timedOut: number;
  /** Requests that ended in another way: cancelled, closed, failed to be sent. */
  failed: number;
  /** Times that a request was asked again. */
  retries: number;
  /** Answers that nobody waited for any more: second ones, and those that came too late. */
  late: number;
  /** Requests that wait for their answer now. */
  inFlight: number;
}

const DEFAULT_TIMEOUT = 5000;
const DEFAULT_RETRIES = 2;
const MOST_RETRIES = 2 ** 31 - 1;
const EMPTY = Buffer.alloc(0);

/** What keeps requests away from dead peers, unless options say otherwise. */
const CONNECTION = { ...connectionDefaults, immediate: true, linger: 0 } as const;

/** One request until it is answered or given up. */
interface Exchange {
  readonly parts: Sendable[];
  readonly timeout: number;
  readonly retries: number;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: () => void;
  readonly resolve: (answer: Message[]) => void;
  readonly reject: (reason: unknown) => void;
  /** One for each attempt: an answer to any of them will do. */
  readonly ids: number[];
  timer: NodeJS.Timeout | undefined;
  /** Takes back an attempt that waits for room. */
  sending: AbortController | undefined;
  settled: boolean;
}

/**
 * A client for REP and ROUTER servers and for `serve()`, directly or behind brokers. A request that is not answered in
 * time is asked again, of the next server in turn; servers that are gone are noticed, and left out until they are
 * back. **A request may be handled more than once**: the server that was slow may have done it too.
 *
 * ```ts
 * const requester = new Requester({ connect: ['tcp://10.0.0.1:5555', 'tcp://10.0.0.2:5555'], timeout: 1000, retries: 3 });
 * const [answer] = await requester.request('6 * 7');
 * requester.close();
 * ```
 *
 * Waiting requests keep the process alive; an idle Requester does not.
 */
export class Requester {
  readonly #dealer: Dealer;
  readonly #endpoints: string[] = [];
  readonly #timeout: number;
  readonly #retries: number;
  readonly #byId = new Map<number, Exchange>();
  readonly #exchanges = new Set<Exchange>();
  readonly #counts = { requests: 0, answered: 0, timedOut: 0, failed: 0, retries: 0, late: 0 };
  #receiving: AbortController | undefined;
  #lastId = randomInt(2 ** 32);

  /**
   * @throws {@link ArgumentError} for bad options, {@link ZmqError} for an endpoint that cannot be connected or bound
   */
  constructor(options: RequesterOptions) {
    const { connect, bind, timeout, retries, ...socket } = checkOptions(options);
    this.#timeout = timeout === undefined ? DEFAULT_TIMEOUT : checkTimeout(timeout);
    this.#retries = retries === undefined ? DEFAULT_RETRIES : checkRetries(retries);
    const connects = endpointList('connect', connect);
    const binds = endpointList('bind', bind);
    if (connects.length + binds.length === 0) {
      throw argumentError('connect', 'an endpoint or several (or bind)', connect);
    }
    this.#dealer = new Dealer(withDefaults(CONNECTION, socket));
    try {
      for (const endpoint of binds) this.#endpoints.push(this.#dealer.bind(endpoint));
      for (const endpoint of connects) this.connect(endpoint);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Where requests go to: what was connected, and what was bound with wildcards filled in. */
  get endpoints(): readonly string[] {
    return [...this.#endpoints];
  }

  get closed(): boolean {
    return this.#dealer.closed;
  }

  /** Adds a server. @throws as `socket.connect` */
  connect(endpoint: string): void {
    this.#dealer.connect(endpoint);
    this.#endpoints.push(endpoint);
  }

  /** Takes a server away: what it was asked and has not answered is asked of others. @throws as `socket.disconnect` */
  disconnect(endpoint: string): void {
    this.#dealer.disconnect(endpoint);
    this.#endpoints.splice(this.#endpoints.indexOf(endpoint), 1);
  }

  /**
   * Sends a request and waits for its answer; any number may wait. The data must not change meanwhile, since it may be
   * sent again.
   *
   * ```ts
   * const [answer] = await requester.request(JSON.stringify(question), { timeout: 200, retries: 5 });
   * ```
   *
   * @param data one frame, or an array of frames that travel together
   * @returns the frames of the answer
   * @throws (rejects) {@link TimeoutError} after the last attempt, {@link SocketClosedError}, the signal's reason,
   *   {@link ArgumentError} for data that can't be sent
   */
  request(data: SendableMessage, options?: RequestOptions): Promise<Message[]> {
    return new Promise((resolve, reject) => {
      const { timeout, signal } = deadlineOf(options, this.#timeout);
      const retries = options?.retries === undefined ? this.#retries : checkRetries(options.retries);
      const parts = Array.isArray(data) ? listOfParts(data) : [data];
      if (parts.length === 0) throw argumentError('data', 'one frame or more', data);
      for (const [index, part] of parts.entries()) encodePart(part, Array.isArray(data) ? index : 'data');
      if (this.closed) throw new SocketClosedError('Requester is closed');
      signal?.throwIfAborted();
      const exchange: Exchange = {
        parts: parts as Sendable[],
        timeout,
        retries,
        signal,
        onAbort: () => this.#fail(exchange, signal?.reason),
        resolve,
        reject,
        ids: [],
        timer: undefined,
        sending: undefined,
        settled: false,
      };
      if (signal !== undefined) onAbort(signal, exchange.onAbort);
      this.#counts.requests += 1;
      this.#exchanges.add(exchange);
      this.#attempt(exchange);
      if (this.#receiving === undefined && this.#exchanges.size > 0) void this.#receive();
    });
  }

  /** What happened so far. */
  stats(): RequesterStats {
    return { ...this.#counts, inFlight: this.#exchanges.size };
  }

  /** Closes the socket. Requests that wait reject with {@link SocketClosedError}. Closing it again does nothing. */
  close(): void {
    for (const exchange of [...this.#exchanges]) {
      this.#fail(exchange, new SocketClosedError('Requester was closed before the answer came'));
    }
    this.#dealer.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #attempt(exchange: Exchange): void {
    const id = this.#nextId();
    exchange.ids.push(id);
    this.#byId.set(id, exchange);
    if (exchange.timeout >= 0 && exchange.timeout <= LONGEST_TIMER) {
      exchange.timer = setTimeout(() => this.#expire(exchange), exchange.timeout);
    }
    const envelope = Buffer.allocUnsafe(4);
    envelope.writeUInt32BE(id);
    const frames = [envelope, EMPTY, ...exchange.parts];
    try {
      if (this.#dealer.trySend(frames)) return;
    } catch (error) {
      this.#fail(exchange, error);
      return;
    }
    const sending = new AbortController();
    exchange.sending = sending;
    this.#dealer.send(frames, { timeout: -1, signal: sending.signal }).then(
      () => {
        if (exchange.sending === sending) exchange.sending = undefined;
      },
      (error: unknown) => {
        if (!sending.signal.aborted) this.#fail(exchange, error);
      },
    );
  }

  /** The attempt's time is over, by the clock: the answer may be there if the event loop was busy. */
  #expire(exchange: Exchange): void {
    setImmediate(() => {
      if (exchange.settled) return;
      exchange.sending?.abort();
      exchange.sending = undefined;
      const attempts = exchange.ids.length;
      const { timeout, retries } = exchange;
      if (attempts > retries) {
        const what = `request to ${this.#endpoints.join(', ')} (${attempts} ${attempts === 1 ? 'attempt' : 'attempts'})`;
        this.#counts.timedOut += 1;
        const error = new TimeoutError(what, (timeout * attempts) / 1000);
        if (diagnostics.requestFailed.hasSubscribers) {
          diagnostics.requestFailed.publish({ requester: this, error, attempts });
        }
        this.#end(exchange).reject(error);
        return;
      }
      this.#counts.retries += 1;
      if (diagnostics.requestRetry.hasSubscribers) {
        diagnostics.requestRetry.publish({ requester: this, attempts, timeout });
      }
      // What was sent may still be lent to libzmq, and then it cannot be sent again.
      exchange.parts.forEach((part, index) => {
        if (part instanceof Message) exchange.parts[index] = part.copy();
      });
      this.#attempt(exchange);
    });
  }

  /** Takes answers for as long as somebody waits for one. */
  async #receive(): Promise<void> {
    const receiving = new AbortController();
    this.#receiving = receiving;
    try {
      while (!receiving.signal.aborted) {
        this.#take(await this.#dealer.recvMultipart({ timeout: -1, signal: receiving.signal }));
      }
    } catch (error) {
      if (receiving.signal.aborted) return;
      this.#receiving = undefined;
      for (const exchange of [...this.#exchanges]) this.#fail(exchange, error);
    }
  }

  #take(frames: Message[]): void {
    const [envelope, delimiter, ...answer] = frames;
    const known = envelope?.length === 4 && delimiter?.length === 0;
    const exchange = known ? this.#byId.get(envelope.readUInt32BE()) : undefined;
    if (exchange === undefined) {
      this.#counts.late += 1;
      return;
    }
    this.#counts.answered += 1;
    this.#end(exchange).resolve(answer);
  }

  #fail(exchange: Exchange, reason: unknown): void {
    if (exchange.settled) return;
    this.#counts.failed += 1;
    this.#end(exchange).reject(reason);
  }

  #end(exchange: Exchange): Exchange {
    exchange.settled = true;
    clearTimeout(exchange.timer);
    exchange.sending?.abort();
    if (exchange.signal !== undefined) ignoreAbort(exchange.signal, exchange.onAbort);
    for (const id of exchange.ids) this.#byId.delete(id);
    this.#exchanges.delete(exchange);
    if (this.#exchanges.size === 0) {
      this.#receiving?.abort();
      this.#receiving = undefined;
    }
    return exchange;
  }

  #nextId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0;
    while (this.#byId.has(this.#lastId));
    return this.#lastId;
  }
}

function checkRetries(retries: unknown): number {
  if (!Number.isInteger(retries) || (retries as number) < 0 || (retries as number) > MOST_RETRIES) {
    throw argumentError('retries', 'an integer from 0 up', retries);
  }
  return retries as number;
}

/** @throws {@link ArgumentError} unless it is undefined, an endpoint or a list of endpoints */
export function endpointList(name: string, value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  const list = Array.isArray(value) ? value : [value];
  for (const endpoint of list) {
    if (typeof endpoint !== 'string') throw argumentError(name, 'an endpoint or several', value);
  }
  return list as string[];
}
