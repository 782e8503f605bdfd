/**
 * Monitor events: what happens to a socket's connections. libzmq reports them on a socket of its own, which is read
 * like any other.
 */
import { EventEmitter, on as eventsOf } from 'node:events';
import { errnoCode, notSupportedError, SocketClosedError, ZmqError } from './errors.js';
import { checkListener, tellListeners } from './event-listener.js';
import { protocolErrorName, zapStatusMeaning } from './handshake-reasons.js';
import type { Message } from './message.js';
import { native } from './native.js';
import { PeerCounter, type PeerCounts } from './peer-counts.js';
import { attachmentOf, Socket } from './socket.js';

/** One type for each event, not one for several: so that a listener's event is known by its name. */
type EventOf<Type extends string, Details> = Type extends unknown
  ? {
      readonly type: Type;
      /** The endpoint or peer that it happened to. */
      readonly address: string;
    } & Readonly<Details>
  : never;

/** What went wrong with a connection. */
export interface SocketEventFailure {
  /** libzmq's number for the reason; numbers differ between systems. */
  errno: number;
  /** The reason's name: `'EADDRINUSE'`, `'EPIPE'`, ... */
  code: string;
}

/** Something that happened to a connection of a socket. */
export type SocketEvent =
  | EventOf<
      'connect' | 'bind' | 'accept' | 'close' | 'disconnect',
      { /** The file descriptor. */ fd: number }
    >
  | EventOf<'handshake' | 'end', unknown>
  | EventOf<
      'connect:delay' | 'bind:error' | 'accept:error' | 'close:error' | 'handshake:error:other',
      SocketEventFailure
    >
  | EventOf<'connect:retry', { /** Milliseconds until the next attempt. */ interval: number }>
  | EventOf<
      'handshake:error:protocol',
      {
        /** libzmq's `ZMQ_PROTOCOL_ERROR_*`. */
        protocol: number;
        /** Its name without that prefix: `'ZMTP_MECHANISM_MISMATCH'`, ... */
        reason: string;
      }
    >
  | EventOf<
      'handshake:error:auth',
      {
        /** ZAP's status code: 300, 400 or 500. */
        status: number;
        /** What that code means: `'authentication failure'`, ... libzmq does not hand on the handler's text. */
        reason: string;
      }
    >
  | EventOf<'unknown', { event: number; value: number }>;

/** The name of every event type. */
export type SocketEventType = SocketEvent['type'];

type EventNamed<Type> = Extract<SocketEvent, { type: Type }>;

const ALL_EVENTS = 0xffff;
const NAMES: Readonly<Record<number, SocketEventType>> = {
  1: 'connect',
  2: 'connect:delay',
  4: 'connect:retry',
  8: 'bind',
  16: 'bind:error',
  32: 'accept',
  64: 'accept:error',
  128: 'close',
  256: 'close:error',
  512: 'disconnect',
  1024: 'end',
  2048: 'handshake:error:other',
  4096: 'handshake',
  8192: 'handshake:error:protocol',
  16384: 'handshake:error:auth',
};

const TYPES = new Set<string>([...Object.values(NAMES), 'unknown', 'event']);

// biome-ignore lint/suspicious/noExplicitAny: what it takes is the overloads' concern
type Listener = (event: any) => void;

/**
 * The events of one socket: by listeners, or as a stream; not both at once. Events are kept from the first use of
 * `socket.events` on, so those before the first listener or loop are not lost. What happens in `close()` itself is
 * not reported, but for the event `'end'` that tells listeners.
 *
 * ```ts
 * socket.events.on('disconnect', (event) => console.log('lost', event.address));
 * // or
 * for await (const event of socket.events) console.log(event.type, event.address);
 * ```
 */
export class SocketEvents implements AsyncIterable<SocketEvent> {
  readonly #emitter = new EventEmitter();
  readonly #socket: Socket;
  /** Kept reachable: who waits for events of a socket does not want it to be collected. */
  readonly #watched: Socket;
  readonly #counter = new PeerCounter();
  #listening = false;
  /** Events go from the monitor socket to the emitter: for listeners, or to be counted. */
  #pumping = false;
  #ended = false;
  #loops = 0;

  /** @internal */
  constructor(watched: Socket) {
    const { slot, failure } = monitorOf(watched);
    this.#watched = watched;
    // Without a limit: libzmq would block its own threads on events that find no room.
    this.#socket = new Socket(watched.context!, 'PAIR', { linger: 0, receiveHighWaterMark: 0 });
    const reader = attachmentOf(this.#socket);
    // Named by the id of who reads, since threads share the context: no two sockets of a process have the same one.
    const endpoint = `inproc://zeromq-threads.monitor.${native.processNonce()}.${reader.id}`;
    const errno = native.socketMonitor(slot, reader.slot, endpoint, ALL_EVENTS);
    if (errno === 0) return;
    this.#socket.close();
    throw failure(errno, 'Cannot monitor the socket');
  }

  /**
   * Calls `listener` for every event of that type, or for every event: `on('event', ...)`. Listeners do not keep the
   * process alive.
   *
   * @throws {@link ArgumentError} for an unknown type or a listener that is no function, {@link ZmqError} with code
   *   `'EBUSY'` while a loop runs over the events
   */
  on<Type extends SocketEventType>(type: Type, listener: (event: EventNamed<Type>) => void): this;
  on(type: 'event', listener: (event: SocketEvent) => void): this;
  on(type: string, listener: Listener): this {
    checkListener(TYPES, type, listener);
    this.#listen();
    this.#emitter.on(type, listener);
    return this;
  }

  /** As `on`, for one event only. */
  once<Type extends SocketEventType>(type: Type, listener: (event: EventNamed<Type>) => void): this;
  once(type: 'event', listener: (event: SocketEvent) => void): this;
  once(type: string, listener: Listener): this {
    checkListener(TYPES, type, listener);
    this.#listen();
    this.#emitter.once(type, listener);
    return this;
  }

  /** Takes a listener back. @throws {@link ArgumentError} as `on` */
  off<Type extends SocketEventType>(type: Type, listener: (event: EventNamed<Type>) => void): this;
  off(type: 'event', listener: (event: SocketEvent) => void): this;
  off(type: string, listener: Listener): this {
    checkListener(TYPES, type, listener);
    this.#emitter.off(type, listener);
    return this;
  }

  /**
   * Events as they come; ends when the socket closes.
   *
   * @throws {@link ZmqError} with code `'EBUSY'` if there are listeners: they have got the events already
   */
  [Symbol.asyncIterator](): AsyncGenerator<SocketEvent, void, undefined> {
    if (this.#listening) throw busyError();
    return this.#pumping ? this.#emitted() : this.#stream();
  }

  /** @internal The counts so far. Begins to read the events if nobody does. */
  counts(): PeerCounts {
    if (this.#loops === 0) this.#pump();
    return this.#counter.snapshot();
  }

  /** @internal The watched socket is closed. Who reads the events reads on to the last one, `'end'`. */
  close(): void {
    if (!this.#pumping && this.#loops === 0) this.#socket.close();
  }

  /** The events of a loop that begins while they are being read to be counted. */
  async *#emitted(): AsyncGenerator<SocketEvent, void, undefined> {
    if (this.#listening) throw busyError();
    if (this.#ended) return;
    this.#loops += 1;
    attachmentOf(this.#socket).keepProcess(true);
    try {
      for await (const [event] of eventsOf(this.#emitter, 'event') as AsyncIterable<[SocketEvent]>) {
        yield event;
        if (event.type === 'end') return;
      }
    } finally {
      this.#loops -= 1;
      if (this.#loops === 0) attachmentOf(this.#socket).keepProcess(false);
    }
  }

  async *#stream(): AsyncGenerator<SocketEvent, void, undefined> {
    if (this.#pumping) {
      yield* this.#emitted();
      return;
    }
    this.#loops += 1;
    try {
      yield* this.#received();
    } finally {
      this.#loops -= 1;
      if (this.#watched.closed) this.close();
    }
  }

  async *#received(): AsyncGenerator<SocketEvent, void, undefined> {
    for await (const frames of this.#socket) {
      const event = eventOf(frames);
      this.#counter.add(event);
      if (event.type === 'end') this.#socket.close();
      yield event;
    }
  }

  #listen(): void {
    if (this.#listening) return;
    if (this.#loops > 0) throw busyError();
    this.#pump();
    this.#listening = true;
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    attachmentOf(this.#socket).keepProcess(false);
    void this.#emitAll();
  }

  async #emitAll(): Promise<void> {
    let last: SocketEventType | undefined;
    for await (const event of this.#received()) {
      last = event.type;
      this.#emit(event);
    }
    this.#ended = true;
    if (last === 'end') return;
    const end: SocketEvent = { type: 'end', address: '' };
    this.#counter.add(end);
    this.#emit(end);
  }

  #emit(event: SocketEvent): void {
    tellListeners(() => this.#emitter.emit(event.type, event));
    tellListeners(() => this.#emitter.emit('event', event));
  }
}

function busyError(): ZmqError {
  return new ZmqError(
    'The events are being read already: listeners and a loop over them exclude each other',
    {
      code: 'EBUSY',
    },
  );
}

function monitorOf(socket: Socket): {
  slot: number;
  failure: (errno: number, what: string) => Error;
} {
  if (socket.closed) throw new SocketClosedError();
  const attachment = attachmentOf(socket);
  if (socket.context === undefined) {
    throw notSupportedError(
      'events is not supported by a socket that was attached to: ask where it was made',
    );
  }
  return { slot: attachment.slot, failure: (errno, what) => attachment.failure(errno, what) };
}

function eventOf(frames: readonly Message[]): SocketEvent {
  const [head, where] = frames;
  const event = head!.readUInt16LE(0);
  const value = head!.readUInt32LE(2);
  const address = where?.toString() ?? '';
  const type = NAMES[event] ?? 'unknown';
  switch (type) {
    case 'connect:delay':
    case 'bind:error':
    case 'accept:error':
    case 'close:error':
    case 'handshake:error:other':
      return { type, address, errno: value, code: errnoCode(value) };
    case 'connect:retry':
      return { type, address, interval: value };
    case 'handshake:error:protocol':
      return { type, address, protocol: value, reason: protocolErrorName(value) };
    case 'handshake:error:auth':
      return { type, address, status: value, reason: zapStatusMeaning(value) };
    case 'unknown':
      return { type, address, event, value };
    case 'end':
    case 'handshake':
      return { type, address };
    default:
      return { type, address, fd: value };
  }
}
