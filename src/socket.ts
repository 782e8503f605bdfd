/**
 * Socket: the public face. It checks arguments and hands on to the attachment's sender and receiver.
 */
import { Attachment, POLLIN, POLLOUT } from './attachment.js';
import type { Batch } from './batch.js';
import { Context } from './context.js';
import { type DecodeAs, type Decoded, decoderOf } from './decode.js';
import { listOfParts, type Sendable } from './encode.js';
import { argumentError, ContextClosedError, notSupportedError, SocketClosedError } from './errors.js';
import { SocketEvents } from './events.js';
import { type Handle, idOfHandle, makeHandle } from './handles.js';
import { Batches, Messages } from './iteration.js';
import type { Message } from './message.js';
import { native } from './native.js';
import type { OptionValue } from './option-codec.js';
import {
  defineOptionProperties,
  type SocketOptionProperties,
  type SocketOptions,
  socketSettings,
} from './option-types.js';
import type { PeerCounts } from './peer-counts.js';
import { checkOptions, checkTimeout, type WaitOptions } from './pending.js';
import type { SendOptions } from './sender.js';
import { Endpoints } from './socket-endpoints.js';
import { adoptOptions, readOption, writeOption } from './socket-options.js';
import { checkSetup, DEFAULT_PREFETCH } from './socket-setup.js';
import { changeGroups, changeSubscriptions } from './socket-subscriptions.js';
import { type CanonicalType, type SocketTypeName, socketTypeOf, socketTypeOfId } from './socket-types.js';

export type { WaitOptions } from './pending.js';
export type { SendOptions } from './sender.js';

/** What can be sent as a message: one frame, or an array of frames. */
export type SendableMessage = Sendable | readonly Sendable[];

/** Options of `batches`. */
export interface BatchOptions {
  /** The most messages in a batch; no limit unless told. */
  max?: number | undefined;
}

/** Options of `connect`. */
export interface ConnectOptions {
  /**
   * What the peer is called here, on ROUTER and STREAM sockets. A socket gives an id once, also when it disconnects:
   * libzmq would end the process for one that a peer still has.
   */
  routingId?: string | Uint8Array | undefined;
}

/** Options of `close`. */
export interface CloseOptions {
  /** How long unsent messages may still be sent, in milliseconds, -1 for ever. The option's value without it. */
  linger?: number | undefined;
}

/** In milliseconds: what libzmq can count to. Longer than that is as good as 24 days. */
const LONGEST_LINGER = 2 ** 31 - 1;

/** Sockets that nobody can reach any more are closed. */
const leases = new FinalizationRegistry<{ end(): void }>((lease) => lease.end());

/** @internal How to get at a socket's attachment, for this package alone. */
export let attachmentOf: (socket: Socket) => Attachment;

/**
 * A ZeroMQ socket of any type. The typed classes (`Pull`, `Router`, ...) are this class with the members that the
 * type supports.
 *
 * ```ts
 * const socket = new Socket('PULL');
 * socket.bind('tcp://127.0.0.1:5555');
 * for await (const [frame] of socket) console.log(frame.toString());
 * ```
 */
export class Socket {
  readonly #attachment: Attachment;
  readonly #context: Context | undefined;
  #events: SocketEvents | undefined;
  readonly #endpoints: Endpoints;

  static {
    attachmentOf = (socket) => socket.#attachment;
  }

  /** @throws {@link ArgumentError} for bad options, {@link ContextClosedError} if the context is closed */
  constructor(type: SocketTypeName, options?: SocketOptions);
  constructor(context: Context, type: SocketTypeName, options?: SocketOptions);
  constructor(first: Context | SocketTypeName | Attachment, second?: unknown, third?: unknown) {
    if (first instanceof Attachment) {
      this.#attachment = first;
      this.#endpoints = new Endpoints(first);
      first.holder = this;
      leases.register(this, first.lease);
      return;
    }
    const [type, options, given] =
      first instanceof Context
        ? [socketTypeOf(second), third as SocketOptions | undefined, first]
        : [socketTypeOf(first), second as SocketOptions | undefined, undefined];
    if ((options as unknown) instanceof Context)
      throw argumentError('options', 'an object such as { context }', options);
    const settings = socketSettings(type.name, options);
    const { context, ...setup } = checkSetup(given, options);
    if (context.closed) throw new ContextClosedError();
    this.#context = context;
    this.#attachment = new Attachment({ type, context, ...setup });
    this.#endpoints = new Endpoints(this.#attachment);
    this.#attachment.holder = this;
    context.track(this);
    leases.register(this, this.#attachment.lease);
    try {
      for (const { entry, value } of settings) this.setOption(entry.name, value as OptionValue);
    } catch (error) {
      this.close({ linger: 0 });
      throw error;
    }
  }

  /**
   * The same socket in another thread. It begins with the timeouts that the socket has at that moment; setting
   * them later affects only the thread that does it.
   *
   * ```ts
   * const socket = Socket.attach(workerData.handle);
   * ```
   *
   * @param handle what `share()` gave, as it came out of `postMessage` or `workerData`
   * @throws {@link ArgumentError} for anything else, {@link SocketClosedError} if the socket is closed
   */
  static attach(handle: Handle<'socket'>): Socket {
    const id = idOfHandle(handle, 'socket');
    const type = socketTypeOfId(native.socketType(id));
    if (type === undefined) throw new SocketClosedError();
    const made = new Attachment({
      type,
      context: undefined,
      prefetch: DEFAULT_PREFETCH,
      dedicatedWorker: false,
      attachTo: id,
    });
    const socket = new Socket(made as never);
    if (socket.closed) throw socket.#attachment.ended ?? new SocketClosedError();
    adoptOptions(made);
    return socket;
  }

  /** The socket type's name: `'PULL'`, ... */
  get type(): CanonicalType {
    return this.#attachment.type.name;
  }

  /** Whether the socket was closed, by whatever thread. */
  get closed(): boolean {
    return this.#attachment.closed;
  }

  /** The context that the socket belongs to; undefined where it was attached to. */
  get context(): Context | undefined {
    return this.#context;
  }

  /** Whether a receive would find something at once. */
  get readable(): boolean {
    const attachment = this.#attachment;
    if (!attachment.type.canReceive || attachment.ended !== undefined) return false;
    return attachment.receiver.hasSome || (attachment.eventsIfFree() & POLLIN) !== 0;
  }

  /** Whether a send would be accepted at once. */
  get writable(): boolean {
    const attachment = this.#attachment;
    if (!attachment.type.canSend || attachment.ended !== undefined) return false;
    return (attachment.eventsIfFree() & POLLOUT) !== 0;
  }

  /** The endpoint last bound or connected to, with wildcards filled in; null if there was none. */
  get lastEndpoint(): string | null {
    return this.getOption('lastEndpoint') as string | null;
  }

  /**
   * Monitor events of this socket: connected, accepted, disconnected, ...
   *
   * ```ts
   * for await (const event of socket.events) console.log(event.type, event.address);
   * ```
   */
  get events(): SocketEvents {
    this.#checkOpen();
    this.#events ??= new SocketEvents(this);
    return this.#events;
  }

  /**
   * What became of this socket's connections: how many are open, were accepted, failed their handshake, ... Counted
   * from the first use of `peers` or `events` on, in which a loop over `events` counts what it has read. Nothing is
   * counted, and nothing it costs, for a socket that nobody asks. Counting does not keep the process alive.
   *
   * ```ts
   * const { open, handshakesFailed } = socket.peers;
   * ```
   *
   * @throws {@link SocketClosedError}, {@link ZmqError} with code `'ENOTSUP'` where the socket was attached to
   */
  get peers(): PeerCounts {
    return this.events.counts();
  }

  /**
   * Listens on an endpoint.
   *
   * ```ts
   * const endpoint = socket.bind('tcp://127.0.0.1:*'); // 'tcp://127.0.0.1:49152'
   * ```
   *
   * @returns the endpoint with wildcards filled in
   * @throws {@link ZmqError} with the reason: `'EADDRINUSE'`, `'EINVAL'`, `'ENODEV'`, `'EPROTONOSUPPORT'`, ...; its
   *   `address` is the endpoint
   */
  bind(endpoint: string): string {
    return this.#endpoints.bind(endpoint);
  }

  /**
   * Connects to an endpoint; libzmq goes on trying in the background.
   *
   * ```ts
   * router.connect('tcp://127.0.0.1:5555', { routingId: 'peer' }); // then send(['peer', ...])
   * ```
   *
   * @throws as `bind` does; with a routing id also `'EADDRINUSE'` for one that a peer of this socket has or had, and
   *   `'ENOTSUP'` where the socket type takes none, or while the option `immediate` is set
   */
  connect(endpoint: string, options?: ConnectOptions): void {
    const { routingId } = checkOptions(options, ['routingId']);
    this.#endpoints.connect(endpoint, routingId);
  }

  /**
   * Stops listening on an endpoint.
   *
   * @param endpoint as `bind` returned it, or as it was given to this object: of several, the one bound last
   * @throws {@link ZmqError} with code `'ENOENT'` if it was not bound
   */
  unbind(endpoint: string): void {
    this.#endpoints.unbind(endpoint);
  }

  /** Disconnects from an endpoint. @throws {@link ZmqError} with code `'ENOENT'` if it was not connected */
  disconnect(endpoint: string): void {
    this.#endpoints.disconnect(endpoint);
  }

  /**
   * Connects to a PEER socket, and says at once which routing id it has here. Of libzmq's draft API.
   *
   * ```ts
   * const routingId = peer.connectPeer('tcp://127.0.0.1:5555');
   * await peer.send('hello', { routingId });
   * ```
   *
   * @throws as `connect` does, and `'ENOTSUP'` for other socket types, and while the option `immediate` is set: the peer
   *   has its id before it is there
   */
  connectPeer(endpoint: string): number {
    if (this.type !== 'PEER') throw this.#lacks('connectPeer');
    if (this.immediate) throw notSupportedError('connectPeer is not supported while immediate is set');
    return this.#endpoints.connectPeer(endpoint);
  }

  /**
   * Sends a message. Sends are accepted in the order of the calls.
   *
   * ```ts
   * await socket.send('hello');
   * await socket.send(['topic', payload]);
   * ```
   *
   * @param data one frame, or an array of frames that travel together
   * @returns a promise that resolves once the message is accepted
   * @throws (rejects) {@link TimeoutError}, {@link SocketClosedError}, {@link ArgumentError} for data that can't be
   *   sent, {@link ZmqError} such as `'EFSM'` or `'EHOSTUNREACH'`
   */
  send(data: SendableMessage, options?: SendOptions): Promise<void> {
    const { type, sender } = this.#attachment;
    if (!type.canSend) return sender.fails(this.#lacks('send'));
    return sender.send(data, options);
  }

  /**
   * Sends a message made of `parts`, all of which are encoded before the first is sent.
   *
   * @param parts an array, or any other iterable or array-like object
   * @throws (rejects) as `send`, and {@link ArgumentError} when there are no parts
   */
  sendMultipart(parts: Iterable<Sendable> | ArrayLike<Sendable>, options?: SendOptions): Promise<void> {
    const { type, sender } = this.#attachment;
    if (!type.canSend) return sender.fails(this.#lacks('sendMultipart'));
    try {
      return sender.send(listOfParts(parts), options, 'sendMultipart');
    } catch (error) {
      return sender.fails(error);
    }
  }

  /** Sends if that is possible without waiting. @returns whether it was. @throws as `send` rejects */
  trySend(data: SendableMessage, options?: Omit<SendOptions, keyof WaitOptions>): boolean {
    if (!this.#attachment.type.canSend) throw this.#lacks('trySend');
    return this.#attachment.sender.trySend(data, options);
  }

  /** Sends, blocking the calling thread while there is no room. @throws as `send` rejects */
  sendSync(data: SendableMessage, options?: SendOptions): void {
    if (!this.#attachment.type.canSend) throw this.#lacks('sendSync');
    this.#attachment.sender.sendSync(data, options);
  }

  /**
   * Receives one frame; `message.more` says whether another of the same message follows.
   *
   * ```ts
   * const message = await socket.recv();
   * const text = await socket.recv('utf8', { timeout: 1000 });
   * const point = await socket.recv(Float64Array);
   * ```
   *
   * @param as decodes a copy of the frame: a format's name, a typed array class, or a function of the message
   * @throws (rejects) {@link TimeoutError}, {@link SocketClosedError}, {@link DecodeError} for a payload that does
   *   not fit or that the function throws for, {@link ZmqError} such as `'EFSM'`
   */
  recv(options?: WaitOptions): Promise<Message>;
  recv(as: undefined, options?: WaitOptions): Promise<Message>;
  recv<As extends DecodeAs>(as: As, options?: WaitOptions): Promise<Decoded<As>>;
  recv(first?: unknown, second?: WaitOptions): Promise<unknown> {
    const { type, receiver } = this.#attachment;
    if (!type.canReceive) return Promise.reject(this.#lacks('recv'));
    if (isOptions(first, second)) return receiver.recv((first as WaitOptions | undefined) ?? second);
    try {
      return receiver.recvAs({ of: decoderOf(first) }, second);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Receives a whole message. The timeout counts for all of it.
   *
   * ```ts
   * const [identity, ...frames] = await router.recvMultipart();
   * ```
   *
   * @throws (rejects) as `recv`
   */
  recvMultipart(options?: WaitOptions): Promise<Message[]> {
    const { type, receiver } = this.#attachment;
    if (!type.canReceive) return Promise.reject(this.#lacks('recvMultipart'));
    return receiver.recvMultipart(options);
  }

  /** The same as `recvMultipart`. */
  receive(options?: WaitOptions): Promise<Message[]> {
    const { type, receiver } = this.#attachment;
    if (!type.canReceive) return Promise.reject(this.#lacks('receive'));
    return receiver.recvMultipart(options, 'receive');
  }

  /** A frame if one is there, undefined otherwise. @throws {@link SocketClosedError}, {@link ZmqError} */
  tryRecv(): Message | undefined {
    if (!this.#attachment.type.canReceive) throw this.#lacks('tryRecv');
    return this.#attachment.receiver.tryRecv();
  }

  /** A whole message if one is there, undefined otherwise. @throws as `tryRecv` */
  tryRecvMultipart(): Message[] | undefined {
    if (!this.#attachment.type.canReceive) throw this.#lacks('tryRecvMultipart');
    return this.#attachment.receiver.tryRecvMultipart();
  }

  /** Receives one frame, blocking the calling thread. @throws as `recv` rejects */
  recvSync(options?: WaitOptions): Message;
  recvSync(as: undefined, options?: WaitOptions): Message;
  recvSync<As extends DecodeAs>(as: As, options?: WaitOptions): Decoded<As>;
  recvSync(first?: unknown, second?: WaitOptions): unknown {
    const { type, receiver } = this.#attachment;
    if (!type.canReceive) throw this.#lacks('recvSync');
    if (isOptions(first, second)) return receiver.recvSync((first as WaitOptions | undefined) ?? second);
    const decode = decoderOf(first);
    return decode(receiver.recvSync(second));
  }

  /** Receives a whole message, blocking the calling thread. @throws as `recv` rejects */
  recvMultipartSync(options?: WaitOptions): Message[] {
    if (!this.#attachment.type.canReceive) throw this.#lacks('recvMultipartSync');
    return this.#attachment.receiver.recvMultipartSync(options);
  }

  /**
   * Receives in batches: all that is ready at once, in memory that is used again when the loop asks for more.
   *
   * ```ts
   * for await (const batch of pull.batches()) total += batch.length;
   * ```
   *
   * @throws {@link ArgumentError} for a bad `max`; the loop ends when the socket closes
   */
  batches(options?: BatchOptions): AsyncIterableIterator<Batch> {
    if (!this.#attachment.type.canReceive) throw this.#lacks('batches');
    const { max = 0x7fffffff } = checkOptions(options, ['max']);
    if (!Number.isInteger(max) || max < 1 || max > 0x7fffffff) {
      throw argumentError('max', 'a positive integer (messages)', max);
    }
    return new Batches(this, this.#attachment, max);
  }

  /** Messages as they come, as arrays of frames. Ends when the socket closes; `break` leaves it open. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message[]> {
    if (!this.#attachment.type.canReceive) throw this.#lacks('for await');
    return new Messages(this, this.#attachment);
  }

  /**
   * Joins groups: what is sent to one of them comes in. Of libzmq's draft API.
   *
   * @throws {@link ZmqError} with code `'ENOTSUP'` unless it is a DISH socket, `'EINVAL'` for a group that it has
   *   joined before; {@link ArgumentError} unless names have 1 to 255 bytes
   */
  join(...groups: string[]): void {
    if (this.type !== 'DISH') throw this.#lacks('join');
    changeGroups(this.#attachment, 'join', groups);
  }

  /** Leaves groups. @throws as `join`, and `'EINVAL'` for one that it has not joined */
  leave(...groups: string[]): void {
    if (this.type !== 'DISH') throw this.#lacks('leave');
    changeGroups(this.#attachment, 'leave', groups);
  }

  /**
   * Subscribes to topics: messages that begin with one of them come in. Without a topic, to everything.
   *
   * @throws {@link ZmqError} with code `'ENOTSUP'` unless it is a SUB or XSUB socket
   */
  subscribe(...topics: Sendable[]): void {
    if (!this.#attachment.type.canSubscribe) throw this.#lacks('subscribe');
    changeSubscriptions(this.#attachment, 'subscribe', topics);
  }

  /** Takes subscriptions back; without a topic, the one to everything. */
  unsubscribe(...topics: Sendable[]): void {
    if (!this.#attachment.type.canSubscribe) throw this.#lacks('unsubscribe');
    changeSubscriptions(this.#attachment, 'unsubscribe', topics);
  }

  /**
   * The value of an option, by the name of its property or libzmq's.
   *
   * ```ts
   * socket.getOption('receiveTimeout') === socket.getOption('rcvtimeo'); // true
   * ```
   *
   * @throws {@link ArgumentError} for an unknown or write-only option, {@link ZmqError} `'ENOTSUP'` for one that the
   *   socket type does not have, {@link SocketClosedError}
   */
  getOption(name: string): OptionValue {
    return readOption(this.#attachment, name);
  }

  /** Sets an option. @throws as `getOption`, and {@link ArgumentError} for a value that does not fit */
  setOption(name: string, value: OptionValue): void {
    writeOption(this.#attachment, name, value);
  }

  /** A handle of this socket for `postMessage`; see `Socket.attach`. */
  share(): Handle<'socket'> {
    this.#checkOpen();
    this.#attachment.isShared = true;
    native.socketShared(this.#attachment.slot);
    return makeHandle('socket', this.#attachment.id);
  }

  /**
   * Closes the socket, for all threads that have it. Pending operations reject with {@link SocketClosedError}.
   * Closing it again does nothing.
   */
  close(options?: CloseOptions): void {
    const { linger } = checkOptions(options, ['linger']);
    if (linger !== undefined) checkTimeout(linger, 'linger');
    this.#attachment.close(linger === undefined ? undefined : Math.min(Math.ceil(linger), LONGEST_LINGER));
    this.#events?.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #checkOpen(): void {
    if (this.closed) throw this.#attachment.ended ?? new SocketClosedError();
  }

  #lacks(method: string): Error {
    return notSupportedError(`${method} is not supported by ${this.type} sockets`);
  }
}

/** Whether `recv` was called with options alone: an object before others would have to be a format, and is none. */
function isOptions(first: unknown, second: unknown): boolean {
  return first === undefined || (typeof first === 'object' && first !== null && second === undefined);
}

export interface Socket extends SocketOptionProperties<'all'> {}

defineOptionProperties(Socket.prototype, 'all');
