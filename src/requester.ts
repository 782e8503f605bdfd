/**
 * Requester: asks again until it is answered, or says that it was not. On the wire it is a REQ socket with
 * ZMQ_REQ_CORRELATE: a request id of four bytes, an empty frame, the body. REP, a ROUTER that returns the envelope, and
 * brokers in between give all of that back, so one DEALER can have any number of requests in flight.
 */
import { connectionDefaults, withDefaults } from './connection-defaults.js';
import { context } from './context.js';
import { encodePart, listOfParts, type Sendable } from './encode.js';
import { argumentError } from './errors.js';
import type { Message } from './message.js';
import { type SocketOptions, socketSettings } from './option-types.js';
import { checkFlag, checkOptions, checkTimeout, deadlineOf } from './pending.js';
import { Exchanges } from './requester-exchanges.js';
import type { ServerSetup } from './requester-server.js';
import type { SendableMessage } from './socket.js';

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
 * {@link connectionDefaults} and no linger. There is one such socket, and another one that watches it, for each endpoint
 * in `connect`, and for all of those in `bind` together.
 *
 * A request goes to a server whose connection is there, or waits for one. With `immediate: false` it is queued for
 * whoever's turn it is, and delivered however late that one comes.
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
/** Requests that nobody takes any more are worth nothing after `close()`, unless options say otherwise. */
const CONNECTION = { ...connectionDefaults, linger: 0 } as const;
/** As good as never, in milliseconds: twelve days. */
const NEVER = 2 ** 30;

/** The sockets of Requesters that nobody can reach any more are closed. */
const abandoned = new FinalizationRegistry<Exchanges>((exchanges) => exchanges.close());

/**
 * A client for REP and ROUTER servers and for `serve()`, directly or behind brokers. A request that is not answered in
 * time is asked again, of another server if there is one; servers that are gone are noticed, and left out until they are
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
  readonly #timeout: number;
  readonly #retries: number;
  readonly #exchanges: Exchanges;

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
    this.#exchanges = new Exchanges(setupOf(socket));
    try {
      for (const endpoint of binds) this.#exchanges.bind(endpoint);
      for (const endpoint of connects) this.#exchanges.connect(endpoint);
    } catch (error) {
      this.close();
      throw error;
    }
    abandoned.register(this, this.#exchanges);
  }

  /** Where requests go to: what was connected, and what was bound with wildcards filled in. */
  get endpoints(): readonly string[] {
    return [...this.#exchanges.endpoints];
  }

  /** Whether it is closed, by `close()` or with its context. */
  get closed(): boolean {
    return this.#exchanges.closed;
  }

  /** Adds a server; one that is there already stays as it is. @throws as `socket.connect` */
  connect(endpoint: string): void {
    this.#exchanges.connect(endpoint);
  }

  /** Takes a server away: what it was asked and has not answered is asked of others. @throws as `socket.disconnect` */
  disconnect(endpoint: string): void {
    this.#exchanges.disconnect(endpoint);
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
      const { timeout, signal } = deadlineOf(options, this.#timeout, ['timeout', 'retries', 'signal']);
      const retries = options?.retries === undefined ? this.#retries : checkRetries(options.retries);
      const parts = (Array.isArray(data) ? listOfParts(data) : [data]) as Sendable[];
      if (parts.length === 0) throw argumentError('data', 'one frame or more', data);
      for (const [index, part] of parts.entries()) encodePart(part, Array.isArray(data) ? index : 'data');
      this.#exchanges.begin({ requester: this, parts, timeout, retries, signal, resolve, reject });
    });
  }

  /** What happened so far. */
  stats(): RequesterStats {
    return { ...this.#exchanges.counts, inFlight: this.#exchanges.inFlight };
  }

  /** Closes its sockets. Requests that wait reject with {@link SocketClosedError}. Closing it again does nothing. */
  close(): void {
    this.#exchanges.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

function setupOf(given: Partial<SocketOptions<'DEALER'>>): Omit<ServerSetup, 'owner'> {
  const { prefetch, dedicatedWorker } = given;
  // By their own names, whatever they were given by; and as they are now, since sockets are made later, too.
  const named = socketSettings('DEALER', given).map(({ entry: { name }, value }) => [
    name,
    value instanceof Uint8Array ? Buffer.from(value) : value,
  ]);
  const { immediate, ...options } = Object.fromEntries(named) as SocketOptions<'DEALER'>;
  checkFlag('immediate', immediate);
  const { reconnectInterval = connectionDefaults.reconnectInterval } = options;
  // Not -1 for libzmq: it takes the lost connection's pipe away even while a message is half received.
  const isNever = reconnectInterval === -1 || reconnectInterval === 0;
  const never = isNever ? { reconnectInterval: NEVER, reconnectMaxInterval: 0 } : {};
  return {
    options: {
      ...withDefaults(CONNECTION, { ...options, prefetch, dedicatedWorker }),
      ...never,
      context: given.context ?? context(),
    },
    early: immediate === false,
    reconnectInterval: isNever ? undefined : reconnectInterval,
  };
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
