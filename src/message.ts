/**
 * Message: the bytes of one frame, in shared memory.
 *
 * 1. A received message is a view into a chunk; the engine keeps the chunk alive for as long as any view of it is
 *    reachable, in whatever thread.
 * 2. `release` is a hint that lets a chunk be filled again sooner; nobody has to call it.
 * 3. While libzmq sends from a message without a copy, the message is pinned here, and must not be written to.
 */
import { types } from 'node:util';
import { bufferOf, byteLengthOf, byteOffsetOf, bytesOfBuffer, bytesOfView } from './bytes.js';
import { argumentError, ZmqError } from './errors.js';
import type { ChunkView } from './inbox.js';
import { checkGroup, checkRoutingId } from './message-tags.js';
import { native } from './native.js';

const LARGEST_BYTES = 0xffffffff;

/** What this thread knows of a chunk, by its memory. */
const chunks = new WeakMap<ArrayBufferLike, ChunkView>();

/** Where each message that was sent without a copy stands. */
interface Pin {
  readonly freed: Promise<void>;
  settle: () => void;
  isFreed: boolean;
}
const pins = new WeakMap<Message, Pin>();
const released = new WeakSet<Message>();
/** What messages were told of themselves. */
const tags = new WeakMap<Message, { readonly routingId?: number; readonly group?: string }>();

/** @internal */
export function registerChunk(chunk: ChunkView): void {
  chunks.set(chunk.bytes.buffer, chunk);
}

/** To the engine the base is Uint8Array; to TypeScript it is what the prototype chain below makes of it. */
const SharedBytes = Uint8Array as unknown as {
  new (buffer: SharedArrayBuffer, byteOffset: number, length: number): Buffer<SharedArrayBuffer>;
};

/**
 * One frame: a `Buffer` whose memory is a `SharedArrayBuffer`.
 *
 * Everything that takes a Buffer or a Uint8Array takes a Message. It stays valid for as long as it is reachable;
 * `postMessage` and `structuredClone` share its memory instead of copying it (what arrives is a Uint8Array).
 *
 * ```ts
 * const message = await pull.recv();
 * console.log(message.toString(), message.length, message.more);
 * ```
 */
export class Message extends SharedBytes {
  /** Whether another frame of the same multipart message follows. */
  declare more: boolean;

  /** @internal What `map`, `filter` and their like make: Buffers in memory of their own. */
  static get [Symbol.species](): unknown {
    return (Buffer as unknown as { [Symbol.species]: unknown })[Symbol.species];
  }

  /**
   * A message of `length` zero bytes, to be filled and sent; from 16 KiB up it is sent without a copy.
   *
   * ```ts
   * const message = Message.alloc(1 << 20);
   * fs.readSync(fd, message);
   * await push.send(message);
   * await message.freed; // now it may be written to again
   * ```
   *
   * @param length in bytes
   * @throws {@link ArgumentError} unless it is an integer from 0 to 2^32 - 1, {@link ZmqError} with code `'ENOMEM'`
   *   when there is not that much memory
   */
  static alloc(length: number): Message {
    if (!Number.isInteger(length) || length < 0 || length > LARGEST_BYTES) {
      throw argumentError('length', `an integer from 0 to ${LARGEST_BYTES} (bytes)`, length);
    }
    return new Message(sharedMemory(length), 0, length);
  }

  /**
   * A message with a copy of the data. (As with `Uint8Array.from`, an array or iterable of numbers is taken too.)
   *
   * ```ts
   * const message = Message.from('hello');
   * ```
   *
   * @param encoding of a string, as for `Buffer.from`; UTF-8 unless told
   * @throws {@link ArgumentError} for anything else, and for memory that was detached
   */
  static from(data: string, encoding: BufferEncoding): Message;
  static from(
    data: string | NodeJS.ArrayBufferView | ArrayBufferLike | Iterable<number> | ArrayLike<number>,
  ): Message;
  static from(
    data: string | NodeJS.ArrayBufferView | ArrayBufferLike | Iterable<number> | ArrayLike<number>,
    encoding?: BufferEncoding,
  ): Message {
    const bytes = copySource(data, encoding);
    const message = Message.alloc(byteLengthOf(bytes));
    message.set(bytes);
    return message;
  }

  /**
   * A message over existing shared memory, without a copy. `owner` is kept reachable until libzmq is done with the
   * memory.
   *
   * ```ts
   * const frame = Message.wrap(pool, new Uint8Array(pool.memory, 4096, 1024));
   * ```
   *
   * @throws {@link ArgumentError} unless the view's memory is a SharedArrayBuffer: other memory could be detached or
   *   moved while libzmq reads it. `Message.from` copies it.
   */
  static wrap(owner: unknown, view: NodeJS.ArrayBufferView): Message {
    const bytes = ArrayBuffer.isView(view) ? bytesOfView(view) : undefined;
    if (bytes === undefined) throw argumentError('view', 'a typed array, Buffer or DataView', view);
    const buffer = bufferOf(bytes);
    if (!types.isSharedArrayBuffer(buffer)) {
      const expected = 'a view of a SharedArrayBuffer (use Message.from to copy other memory)';
      throw argumentError('view', expected, view);
    }
    const message = new BorrowedMessage(buffer, byteOffsetOf(bytes), byteLengthOf(bytes));
    owners.set(message, owner);
    return message;
  }

  /**
   * Whether libzmq does not use this memory: true for a message that was never sent, or whose sending is over.
   */
  get isFreed(): boolean {
    collectFreed();
    return pins.get(this)?.isFreed ?? true;
  }

  /** Resolves once libzmq does not use this memory any more; at once if it does not. */
  get freed(): Promise<void> {
    collectFreed();
    const pin = pins.get(this);
    if (pin === undefined || pin.isFreed) return Promise.resolve();
    awaitFreed(pin);
    return pin.freed;
  }

  /**
   * Says that these bytes are not needed any more. Once all messages of a chunk were released its memory is used
   * again, so reading the message afterwards may show other bytes. Calling it is never necessary, and does nothing
   * for a message of a batch or one made by `wrap`.
   */
  release(): void {
    if (released.has(this)) return;
    const chunk = chunks.get(this.buffer);
    if (chunk === undefined) return;
    released.add(this);
    chunk.release();
  }

  /**
   * Keeps the bytes for as long as this message is reachable, where they would not stay by themselves: a handler's
   * messages are valid until it settles.
   *
   * @returns this message
   */
  retain(): this {
    const chunk = chunks.get(this.buffer);
    if (chunk !== undefined) chunk.retained = true;
    return this;
  }

  /**
   * A Buffer with a copy of the bytes in memory of its own that is not shared, for APIs that refuse shared memory; it
   * can be transferred, too.
   */
  override copy(): Buffer<ArrayBuffer>;
  /** Copies bytes into `target`, as `Buffer.prototype.copy` does. @returns how many */
  override copy(target: Uint8Array, targetStart?: number, sourceStart?: number, sourceEnd?: number): number;
  override copy(target?: Uint8Array, ...range: number[]): Buffer<ArrayBuffer> | number {
    if (target === undefined) {
      // Not from Node's pool: that memory can be neither transferred nor given to a stream of bytes.
      const bytes = Buffer.allocUnsafeSlow(this.length);
      bytes.set(this);
      return bytes;
    }
    return Buffer.prototype.copy.call(this, target, ...range);
  }

  /**
   * Who the message came from, on SERVER and PEER sockets; undefined otherwise. Set it, or give `send` an option of the
   * name, to say whom a message is for.
   *
   * ```ts
   * const request = await server.recv();
   * await server.send('reply', { routingId: request.routingId });
   * ```
   *
   * @throws {@link ArgumentError} when it is set to anything but an integer from 1 to 2^32 - 1
   */
  get routingId(): number | undefined {
    const given = tags.get(this)?.routingId;
    if (given !== undefined) return given;
    const received = this.metadata('@routing-id');
    return received === undefined ? undefined : Number(received);
  }

  set routingId(routingId: number) {
    tags.set(this, { ...tags.get(this), routingId: checkRoutingId(routingId) });
  }

  /**
   * The message's group, on DISH sockets; undefined otherwise. Set it, or give `send` an option of the name, to say
   * which group a RADIO sends it to.
   *
   * @throws {@link ArgumentError} when it is set to anything but a string that is not empty
   */
  get group(): string | undefined {
    return tags.get(this)?.group ?? this.metadata('@group');
  }

  set group(group: string) {
    tags.set(this, { ...tags.get(this), group: checkGroup(group) });
  }

  /**
   * A property of the connection that the message came over, or of its peer: `'Peer-Address'`, `'User-Id'`,
   * `'Socket-Type'`, `'Routing-Id'`. Undefined for messages that did not come over a connection, or when the peer
   * has no such property.
   */
  metadata(name: string): string | undefined {
    if (typeof name !== 'string') throw argumentError('name', 'a string', name);
    const chunk = chunks.get(this.buffer);
    return chunk === undefined ? undefined : native.metadata(chunk.id, this.byteOffset, name);
  }
}

/**
 * @internal A message over memory that is accounted for elsewhere, by the message that was received in it or by a
 * batch: to release this one must not count for that one.
 */
export class BorrowedMessage extends Message {
  override release(): void {}
}
/** @internal A message that another frame follows: known by its class, which costs less than a property does. */
export class FollowedMessage extends Message {}
// For whoever looks they are Messages: they have the `constructor` that Message has.
Reflect.deleteProperty(BorrowedMessage.prototype, 'constructor');
Reflect.deleteProperty(FollowedMessage.prototype, 'constructor');

// A Message is a Buffer: Buffer.isBuffer, toString, readUInt32LE, ...; its own methods come first.
Object.setPrototypeOf(Message.prototype, Buffer.prototype);
// Most messages have one frame. A property of their own would cost each of them more than the bytes do.
Message.prototype.more = false;
FollowedMessage.prototype.more = true;

const owners = new WeakMap<Message, unknown>();

function copySource(data: unknown, encoding: unknown): Uint8Array {
  if (typeof data === 'string') {
    // What is no string is what Array.prototype.map passes on.
    const known = typeof encoding === 'string' ? encoding : 'utf8';
    if (!Buffer.isEncoding(known)) throw argumentError('encoding', "an encoding such as 'utf8'", encoding);
    return Buffer.from(data, known);
  }
  if (ArrayBuffer.isView(data) || types.isAnyArrayBuffer(data)) {
    const bytes = ArrayBuffer.isView(data) ? bytesOfView(data) : bytesOfBuffer(data);
    if (bytes === undefined) throw argumentError('data', 'memory that is not detached', data);
    return bytes;
  }
  if (typeof data === 'object' && data !== null && (Symbol.iterator in data || 'length' in data)) {
    return bytesOfList(data as Iterable<unknown> | ArrayLike<unknown>);
  }
  const expected = 'a string, Buffer, ArrayBufferView, (Shared)ArrayBuffer or iterable of bytes';
  throw argumentError('data', expected, data);
}

function bytesOfList(list: Iterable<unknown> | ArrayLike<unknown>): Uint8Array {
  const values = Symbol.iterator in list ? [...list] : list;
  const { length } = values;
  if (!Number.isInteger(length) || length < 0 || length > LARGEST_BYTES) {
    throw argumentError('data.length', `an integer from 0 to ${LARGEST_BYTES}`, length);
  }
  const bytes = new Uint8Array(sharedMemory(length));
  for (let index = 0; index < length; index += 1) {
    const value = values[index];
    if (typeof value !== 'number') throw argumentError(`data[${index}]`, 'a number', value);
    bytes[index] = value;
  }
  return bytes;
}

function sharedMemory(length: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(length);
  } catch (cause) {
    throw new ZmqError(`There is no memory for ${length} bytes`, { code: 'ENOMEM', cause });
  }
}

/** Memory that libzmq sends from, by pin id: this is what keeps it reachable. */
interface Pinned {
  readonly view: Uint8Array;
  readonly pin: Pin | undefined;
  readonly chunk: ChunkView | undefined;
  readonly owner: unknown;
}
const pinned = new Map<number, Pinned>();
/** Pins that somebody awaits. */
const awaited = new Set<Pin>();
let nextPin = 1;
/** Looks after freed memory that nobody asks about, so that it does not stay reachable until the next send. */
let sweep: NodeJS.Timeout | undefined;
let sweepMs = 0;
const FIRST_SWEEP_MS = 50;
const LAST_SWEEP_MS = 3200;
let hooks = { ask: (): void => {}, waiting: (_waiting: boolean): void => {} };

/**
 * @internal How the runtime takes part: `ask` has the addon ring the doorbell at the next release, `waiting` is told
 * when somebody begins to wait for one and when nobody does any more.
 */
export function connectFreed(made: typeof hooks): void {
  hooks = made;
}

/** @internal Pins memory for a zero-copy send. @returns the pin's id */
export function pinView(view: Uint8Array): number {
  collectFreed();
  const id = nextPin;
  nextPin = nextPin === 0xffffffff ? 1 : nextPin + 1;
  let pin: Pin | undefined;
  if (view instanceof Message) {
    if (pins.get(view)?.isFreed === false) {
      throw argumentError('data', 'a Message that is not being sent (await message.freed first)', view);
    }
    let settle = (): void => {};
    const freed = new Promise<void>((resolve) => {
      settle = resolve;
    });
    pin = { freed, settle, isFreed: false };
    pins.set(view, pin);
  }
  const chunk = chunks.get(view.buffer);
  if (chunk !== undefined) chunk.live += 1; // not to be filled again meanwhile
  pinned.set(id, { view, pin, chunk, owner: view instanceof Message ? owners.get(view) : undefined });
  sweepMs = FIRST_SWEEP_MS;
  if (sweep === undefined) sweepLater();
  return id;
}

function sweepLater(): void {
  sweep = setTimeout(() => {
    sweep = undefined;
    collectFreed();
    if (pinned.size === 0) return;
    sweepMs = Math.min(2 * sweepMs, LAST_SWEEP_MS);
    sweepLater();
  }, sweepMs);
  sweep.unref();
}

/** @internal libzmq does not use the memory any more, or never got it. */
export function unpin(id: number): void {
  const entry = pinned.get(id);
  if (entry === undefined) return;
  pinned.delete(id);
  entry.chunk?.release();
  if (entry.pin === undefined) return;
  entry.pin.isFreed = true;
  entry.pin.settle();
  awaited.delete(entry.pin);
}

function awaitFreed(pin: Pin): void {
  if (awaited.has(pin)) return;
  hooks.ask(); // first: there may be no I/O worker to be had
  awaited.add(pin);
  if (awaited.size === 1) hooks.waiting(true);
  collectFreed(); // it may have been freed before the wish was heard
}

/** @internal Takes note of memory that libzmq is done with. */
export function collectFreed(): void {
  if (pinned.size === 0) return;
  const before = awaited.size;
  for (const id of native.freedPins()) unpin(id);
  if (before > 0 && awaited.size === 0) hooks.waiting(false);
}
