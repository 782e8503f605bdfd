/**
 * What an Authenticator decided, as events: for listeners, and for loops.
 */
import { EventEmitter } from 'node:events';
import { checkListener, tellListeners } from '../event-listener.js';
import { MOST_EVENTS } from './thread-messages.js';

/** The connection that an event of an Authenticator is about. */
export interface AuthenticatorConnection {
  /** The socket's `zapDomain`. */
  readonly domain: string;
  /** The peer's IP address; for `ipc`, ids of its process, or nothing. */
  readonly address: string;
  /** `'NULL'`, `'PLAIN'` or `'CURVE'`; another for what was refused. */
  readonly mechanism: string;
}

/** A decision about a connection, or something that went wrong with one. */
export type AuthenticatorEvent =
  | (AuthenticatorConnection & {
      readonly type: 'accepted' /** As messages have it. */;
      readonly userId: string;
    })
  | (AuthenticatorConnection & {
      readonly type: 'denied';
      /** 300: to be tried again; 400: refused; 500: an error. */
      readonly status: 300 | 400 | 500;
      readonly reason: string;
      /** Whom a PLAIN client said that it was. */
      readonly username: string | undefined;
    })
  | (AuthenticatorConnection & {
      readonly type: 'error';
      /** A function of the application failed, or a file cannot be read. */
      readonly error: Error;
    });

/** The name of every event type. */
export type AuthenticatorEventType = AuthenticatorEvent['type'];

type EventNamed<Type> = Extract<AuthenticatorEvent, { type: Type }>;

const TYPES = new Set(['accepted', 'denied', 'error', 'event']);

// biome-ignore lint/suspicious/noExplicitAny: what it takes is the overloads' concern
type Listener = (event: any) => void;

/** @internal What the stream needs of its Authenticator. */
export interface EventSource {
  /** Somebody wants events, from now on. */
  want(): void;
  /** The process has to stay, or need not any more. */
  keep(keep: boolean): void;
  dropped(): void;
}

/**
 * The events of one Authenticator, by listeners and as streams, each of which gets them all. They are reported from the
 * first use on. Those that nobody reads in time are dropped, and counted: 1,024 may wait, for each loop.
 *
 * ```ts
 * authenticator.events.on('denied', ({ address, reason }) => console.warn(`${address}: ${reason}`));
 * // or
 * for await (const event of authenticator.events) console.log(event.type, event.address);
 * ```
 */
export class AuthenticatorEvents implements AsyncIterable<AuthenticatorEvent> {
  // Under names of our own: 'error' without a listener is no exception here.
  readonly #emitter = new EventEmitter();
  readonly #loops = new Set<EventLoop>();
  readonly #source: EventSource;
  #ended = false;

  /** @internal */
  constructor(source: EventSource) {
    this.#source = source;
  }

  /**
   * Calls `listener` for every event of that type, or for every event: `on('event', ...)`. Listeners do not keep the
   * process alive.
   *
   * @throws {@link ArgumentError} for an unknown type or a listener that is no function
   */
  on<Type extends AuthenticatorEventType>(type: Type, listener: (event: EventNamed<Type>) => void): this;
  on(type: 'event', listener: (event: AuthenticatorEvent) => void): this;
  on(type: string, listener: Listener): this {
    checkListener(TYPES, type, listener);
    this.#source.want();
    this.#emitter.on(`on:${type}`, listener);
    return this;
  }

  /** As `on`, for one event only. */
  once<Type extends AuthenticatorEventType>(type: Type, listener: (event: EventNamed<Type>) => void): this;
  once(type: 'event', listener: (event: AuthenticatorEvent) => void): this;
  once(type: string, listener: Listener): this {
    checkListener(TYPES, type, listener);
    this.#source.want();
    this.#emitter.once(`on:${type}`, listener);
    return this;
  }

  /** Takes a listener back. @throws {@link ArgumentError} as `on` */
  off<Type extends AuthenticatorEventType>(type: Type, listener: (event: EventNamed<Type>) => void): this;
  off(type: 'event', listener: (event: AuthenticatorEvent) => void): this;
  off(type: string, listener: Listener): this {
    checkListener(TYPES, type, listener);
    this.#emitter.off(`on:${type}`, listener);
    return this;
  }

  /** Events as they come; ends when the Authenticator is closed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<AuthenticatorEvent> {
    this.#source.want();
    const loop = new EventLoop(this.#source, () => this.#loops.delete(loop));
    if (this.#ended) loop.end();
    else this.#loops.add(loop);
    return loop;
  }

  /** @internal */
  emit(event: AuthenticatorEvent): void {
    for (const loop of [...this.#loops]) loop.add(event);
    tellListeners(() => this.#emitter.emit(`on:${event.type}`, event));
    tellListeners(() => this.#emitter.emit('on:event', event));
  }

  /** @internal */
  end(): void {
    this.#ended = true;
    for (const loop of [...this.#loops]) loop.end();
  }
}

/** One loop's events. */
class EventLoop implements AsyncIterableIterator<AuthenticatorEvent> {
  readonly #events: AuthenticatorEvent[] = [];
  readonly #waiting: ((result: IteratorResult<AuthenticatorEvent, undefined>) => void)[] = [];
  readonly #source: EventSource;
  readonly #leave: () => void;
  #ended = false;

  constructor(source: EventSource, leave: () => void) {
    this.#source = source;
    this.#leave = leave;
  }

  add(event: AuthenticatorEvent): void {
    const next = this.#waiting.shift();
    if (next !== undefined) {
      this.#source.keep(false);
      next({ done: false, value: event });
      return;
    }
    if (this.#events.length >= MOST_EVENTS) this.#source.dropped();
    else this.#events.push(event);
  }

  end(): void {
    this.#ended = true;
    for (const next of this.#waiting.splice(0)) {
      this.#source.keep(false);
      next({ done: true, value: undefined });
    }
  }

  next(): Promise<IteratorResult<AuthenticatorEvent, undefined>> {
    const value = this.#events.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    this.#source.keep(true);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<AuthenticatorEvent, undefined>> {
    this.#leave();
    this.#events.length = 0;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
