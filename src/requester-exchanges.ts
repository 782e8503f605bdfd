/**
 * The requests of a Requester: who is asked, who is asked next, and who waits for whom.
 *
 * 1. A request is asked of the servers in rotation that can be asked, and of the one that just did not answer last.
 * 2. While none can be, it waits here (`#waiting`), within its attempt's time.
 * 3. While none has room, it is parked with one of them. A server that is lost, and one that has no room while another
 *    has nothing to do, gives parked requests back: they are asked of others.
 * 4. What was sent and is unanswered stays as it is until the attempt's time is over, whatever becomes of the server.
 */
import { randomInt } from 'node:crypto';

import { ignoreAbort, onAbort } from './cancellation.js';
import { diagnostics } from './diagnostics.js';
import type { Sendable } from './encode.js';
import { checkEndpoint } from './endpoint.js';
import { SocketClosedError, TimeoutError, ZmqError } from './errors.js';
import { runtime } from './io-runtime.js';
import { Message } from './message.js';
import { LONGEST_TIMER } from './pending.js';
import { Server, type ServerOwner, type ServerSetup } from './requester-server.js';

const EMPTY = Buffer.alloc(0);

/** What a request is begun with. */
export interface Question {
  /** The Requester, which lives as long as a request of it waits. */
  readonly requester: object;
  readonly parts: readonly Sendable[];
  /** Milliseconds that each attempt has; -1 for ever. */
  readonly timeout: number;
  readonly retries: number;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (answer: Message[]) => void;
  readonly reject: (reason: unknown) => void;
}

/** One request until it is answered or given up. */
interface Exchange {
  readonly question: Question;
  readonly onAbort: () => void;
  /** The message, once there is an attempt: its id, an empty frame, and what is asked. */
  frames: Sendable[];
  /** One for each attempt: an answer to any of them will do. */
  readonly ids: number[];
  /** Who was asked last. */
  server: Server | undefined;
  /** Set while the attempt waits for a server's room. */
  parked: AbortController | undefined;
  timer: NodeJS.Timeout | undefined;
  settled: boolean;
}

export class Exchanges implements ServerOwner {
  readonly counts = { requests: 0, answered: 0, timedOut: 0, failed: 0, retries: 0, late: 0 };
  readonly #setup: ServerSetup;
  readonly #servers: Server[] = [];
  /** Those that connect here. */
  #guests: Server | undefined;
  readonly #endpoints: string[] = [];
  /** Whose turn it is. */
  #turn = 0;
  readonly #byId = new Map<number, Exchange>();
  readonly #exchanges = new Set<Exchange>();
  readonly #waiting = new Set<Exchange>();
  #lastId = randomInt(2 ** 32);
  #closed = false;

  constructor(setup: Omit<ServerSetup, 'owner'>) {
    this.#setup = { ...setup, owner: this };
  }

  get closed(): boolean {
    return this.#closed || this.#setup.options.context!.closed;
  }

  get endpoints(): readonly string[] {
    return this.#endpoints;
  }

  get inFlight(): number {
    return this.#exchanges.size;
  }

  /** @throws as `socket.bind` */
  bind(endpoint: string): void {
    this.#endpoints.push(this.#ofGuests().bind(endpoint));
  }

  /** @throws as `socket.connect` */
  connect(endpoint: string): void {
    if (this.#closed) throw closedError();
    checkEndpoint(endpoint);
    // As in libzmq, where a DEALER has one connection to an endpoint.
    if (this.#servers.some((server) => server.endpoint === endpoint)) return;
    this.#servers.push(new Server(this.#setup, endpoint));
    this.#endpoints.push(endpoint);
  }

  /** @throws as `socket.disconnect` */
  disconnect(endpoint: string): void {
    if (this.#closed) throw closedError();
    checkEndpoint(endpoint);
    const server = this.#servers.find((one) => one.endpoint === endpoint) ?? this.#disconnected(endpoint);
    const index = this.#endpoints.indexOf(server === this.#guests ? endpoint : server.endpoint!);
    if (index >= 0) this.#endpoints.splice(index, 1);
    if (server === this.#guests) return;
    this.#servers.splice(this.#servers.indexOf(server), 1);
    // Somebody has to notice when the context ends.
    if (this.#servers.length === 0) this.#ofGuests();
    this.unavailable(server);
    server.leave();
  }

  /** Has whoever knows the endpoint by another name, or listens on it, disconnect from it. */
  #disconnected(endpoint: string): Server {
    let failure: unknown;
    for (const server of this.#servers) {
      try {
        server.disconnect(endpoint);
        return server;
      } catch (error) {
        if (!(error instanceof ZmqError && error.code === 'ENOENT')) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  #ofGuests(): Server {
    if (this.#guests === undefined) {
      this.#guests = new Server(this.#setup);
      this.#servers.push(this.#guests);
    }
    return this.#guests;
  }

  /** Asks. @throws {@link SocketClosedError}, the signal's reason */
  begin(question: Question): void {
    if (this.closed) throw closedError();
    const { signal } = question;
    signal?.throwIfAborted();
    const exchange: Exchange = {
      question,
      onAbort: () => this.#fail(exchange, signal?.reason),
      frames: [EMPTY, EMPTY, ...question.parts],
      ids: [],
      server: undefined,
      parked: undefined,
      timer: undefined,
      settled: false,
    };
    if (signal !== undefined) onAbort(signal, exchange.onAbort);
    this.counts.requests += 1;
    this.#exchanges.add(exchange);
    if (this.#exchanges.size === 1) runtime().hold();
    this.#attempt(exchange);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const exchange of [...this.#exchanges]) {
      this.#fail(exchange, new SocketClosedError('Requester was closed before the answer came'));
    }
    for (const server of this.#servers) server.close();
  }

  received(frames: Message[]): void {
    const [envelope, delimiter, ...answer] = frames;
    const known = envelope?.length === 4 && delimiter?.length === 0;
    const exchange = known ? this.#byId.get(envelope.readUInt32BE()) : undefined;
    if (exchange === undefined) {
      this.counts.late += 1;
      return;
    }
    this.counts.answered += 1;
    this.#end(exchange).resolve(answer);
  }

  available(server: Server): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const exchange of waiting) this.#ask(exchange);
    this.#relieve(server);
  }

  unavailable(server: Server): void {
    for (const parked of [...server.parked.keys()]) this.#takeBack(server, parked);
  }

  ended(reason: unknown): void {
    for (const exchange of [...this.#exchanges]) this.#fail(exchange, reason);
    this.close();
  }

  #attempt(exchange: Exchange): void {
    const { timeout } = exchange.question;
    const id = this.#nextId();
    exchange.ids.push(id);
    this.#byId.set(id, exchange);
    const envelope = Buffer.allocUnsafe(4);
    envelope.writeUInt32BE(id);
    exchange.frames[0] = envelope;
    if (timeout >= 0 && timeout <= LONGEST_TIMER) {
      exchange.timer = setTimeout(() => this.#expire(exchange), timeout);
    }
    this.#ask(exchange);
  }

  #ask(exchange: Exchange): void {
    const servers = this.#inTurn(exchange.server);
    try {
      for (const server of servers) {
        // Where others wait for room there is none, and no need to find out.
        if (server.parked.size > 0 || !server.trySend(exchange.frames)) continue;
        this.#turnTo(server, exchange);
        return;
      }
    } catch (error) {
      this.#fail(exchange, error);
      return;
    }
    const [first] = servers;
    if (first === undefined) this.#waiting.add(exchange);
    else this.#park(exchange, first);
  }

  /** Who can be asked, best first. */
  #inTurn(last: Server | undefined): readonly Server[] {
    const all = this.#servers;
    if (all.length === 1) return all[0]!.standing === 'away' ? [] : all;
    const rotated = [...all.slice(this.#turn), ...all.slice(0, this.#turn)];
    let able = rotated.filter(({ standing }) => standing === 'connected');
    if (able.length === 0) able = rotated.filter(({ standing }) => standing === 'unclear');
    const index = last === undefined ? -1 : able.indexOf(last);
    if (index >= 0) able.push(...able.splice(index, 1));
    return able;
  }

  #turnTo(server: Server, exchange: Exchange): void {
    exchange.server = server;
    this.#turn = this.#servers.indexOf(server) + 1;
  }

  #park(exchange: Exchange, server: Server): void {
    const parked = new AbortController();
    exchange.parked = parked;
    this.#turnTo(server, exchange);
    const done = server.send(exchange.frames, parked.signal).then(
      () => {
        server.parked.delete(parked);
        if (exchange.parked === parked) exchange.parked = undefined;
        this.#relieve(server);
      },
      (error: unknown) => {
        server.parked.delete(parked);
        if (exchange.parked !== parked) return;
        exchange.parked = undefined;
        if (!parked.signal.aborted) {
          this.#fail(exchange, error);
          return;
        }
        this.#copyMessages(exchange);
        this.#ask(exchange);
      },
    );
    server.parked.set(parked, done);
  }

  /** Its attempt is asked of another, unless it has been sent meanwhile. */
  #takeBack(server: Server, parked: AbortController): void {
    server.parked.delete(parked);
    parked.abort();
  }

  /**
   * A server that may have room, and has nothing parked, gets half of what is parked with the one that has most; and half
   * of the rest, until there is none or it has no room.
   */
  #relieve(server: Server): void {
    if (server.parked.size > 0 || !this.#inTurn(undefined).includes(server)) return;
    let fullest = server;
    for (const other of this.#servers) {
      if (other.parked.size > fullest.parked.size) fullest = other;
    }
    if (fullest === server) return;
    const half = [...fullest.parked].slice(0, Math.ceil(fullest.parked.size / 2));
    for (const [parked] of half) this.#takeBack(fullest, parked);
    void Promise.all(half.map(([, done]) => done)).then(() => this.#relieve(server));
  }

  /** What was sent may still be lent to libzmq, and then it cannot be sent again. */
  #copyMessages(exchange: Exchange): void {
    exchange.frames = exchange.frames.map((part) => (part instanceof Message ? part.copy() : part));
  }

  /** The attempt's time is over, by the clock: the answer may be there if the event loop was busy. */
  #expire(exchange: Exchange): void {
    setImmediate(() => {
      if (exchange.settled) return;
      this.#stopAsking(exchange);
      const { requester, timeout, retries } = exchange.question;
      const attempts = exchange.ids.length;
      if (attempts > retries) {
        const what = `request to ${this.#endpoints.join(', ')} (${attempts} ${attempts === 1 ? 'attempt' : 'attempts'})`;
        this.counts.timedOut += 1;
        const error = new TimeoutError(what, (timeout * attempts) / 1000);
        if (diagnostics.requestFailed.hasSubscribers) {
          diagnostics.requestFailed.publish({ requester, error, attempts });
        }
        this.#end(exchange).reject(error);
        return;
      }
      this.counts.retries += 1;
      if (diagnostics.requestRetry.hasSubscribers) {
        diagnostics.requestRetry.publish({ requester, attempts, timeout });
      }
      this.#copyMessages(exchange);
      this.#attempt(exchange);
    });
  }

  #stopAsking(exchange: Exchange): void {
    const { parked } = exchange;
    exchange.parked = undefined;
    parked?.abort();
    this.#waiting.delete(exchange);
  }

  #fail(exchange: Exchange, reason: unknown): void {
    if (exchange.settled) return;
    this.counts.failed += 1;
    this.#end(exchange).reject(reason);
  }

  #end(exchange: Exchange): Question {
    const { question } = exchange;
    exchange.settled = true;
    clearTimeout(exchange.timer);
    this.#stopAsking(exchange);
    if (question.signal !== undefined) ignoreAbort(question.signal, exchange.onAbort);
    for (const id of exchange.ids) this.#byId.delete(id);
    if (this.#exchanges.delete(exchange) && this.#exchanges.size === 0) runtime().release();
    return question;
  }

  #nextId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0;
    while (this.#byId.has(this.#lastId));
    return this.#lastId;
  }
}

function closedError(): SocketClosedError {
  return new SocketClosedError('Requester is closed');
}
