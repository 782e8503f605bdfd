/**
 * Poller: waits for any of several sockets.
 *
 * 1. A wait looks at the sockets itself before it reports one, so what it reports is true.
 * 2. While nothing is ready the addon watches the sockets (in an I/O worker, or in the calling thread for waitSync);
 *    it only says that looking again is worth while.
 * 3. close() is for any thread; when it returns, the addon touches the sockets no more on the poller's behalf.
 */
import { type Attachment, POLLIN, POLLOUT } from './attachment.js';
import {
  ArgumentError,
  argumentError,
  PollerClosedError,
  SocketClosedError,
  TimeoutError,
  zmqError,
} from './errors.js';
import { type Handle, idOfHandle, makeHandle } from './handles.js';
import { runtime, type Wakeable } from './io-runtime.js';
import { POLLER_TOKEN, WAIT_SLICE_MS } from './layout.js';
import { native } from './native.js';
import { type Deadline, deadlineOf, Pending, type WaitOptions } from './pending.js';
import { attachmentOf, Socket } from './socket.js';
import type { CommonSocket } from './sockets.js';

/** A socket to watch, and for what. */
export interface PollItem<Watched extends CommonSocket = CommonSocket> {
  /** The socket to watch. */
  socket: Watched;
  /** Whether to wait until a receive would find something; true unless told. */
  readable?: boolean | undefined;
  /** Whether to wait until a send would be accepted; false unless told. */
  writable?: boolean | undefined;
}

/** A socket that is ready. */
export interface PollResult<Watched extends CommonSocket = CommonSocket> {
  /** The socket, as it was given. */
  readonly socket: Watched;
  /** Whether a receive would find something; false where that was not asked for. */
  readonly readable: boolean;
  /** Whether a send would be accepted; false where that was not asked for. */
  readonly writable: boolean;
}

/** Closes a poller from another thread. */
export interface PollerCloser {
  /** Closes the poller; returns once no thread is inside a wait any more. Doing it again does nothing. */
  close(): void;
}

interface Item<Watched> {
  readonly socket: Watched;
  readonly attachment: Attachment;
  readonly readable: boolean;
  readonly writable: boolean;
}

const WAIT_LOOK = 0;
const WAIT_CLOSED = 2;

const leases = new FinalizationRegistry<number>((slot) => {
  native.pollerRelease(slot);
  runtime().closePoller(slot);
});

/**
 * Waits for events on several sockets at once.
 *
 * ```ts
 * using poller = new Poller([orders, cancellations]);
 * for await (const { socket } of poller) handle(socket.tryRecvMultipart());
 * ```
 */
export class Poller<Watched extends CommonSocket = CommonSocket> implements Wakeable {
  readonly #items: readonly Item<Watched>[];
  readonly #slot: number;
  readonly #id: number;
  #next = 0;
  #closed = false;
  #released = false;
  #busy = false;
  /** Whether the last wait gave the event loop a turn. */
  #waited = true;
  #waiting: Pending<PollResult, 'poll'> | undefined;

  /**
   * @param sockets sockets to watch for readability, or items that say what to watch for; to the compiler a list of both
   *   needs to be told what is in it: `new Poller<Router | Dealer>([router, { socket: dealer, writable: true }])`
   * @throws {@link ArgumentError} for an empty list, a closed or repeated socket, an item with neither flag, and
   *   anything that is no socket
   */
  constructor(sockets: Iterable<Watched | PollItem<Watched>>) {
    if (typeof sockets !== 'object' || sockets === null || !(Symbol.iterator in sockets)) {
      throw argumentError('sockets', 'an array of sockets or of { socket, readable, writable }', sockets);
    }
    this.#items = [...sockets].map((entry, index) => itemOf(entry, `sockets[${index}]`));
    if (this.#items.length === 0) throw argumentError('sockets', 'at least one socket', []);
    // By id: one socket may be attached to several times.
    const ids = new Set(this.#items.map(({ attachment }) => attachment.id));
    if (ids.size < this.#items.length)
      throw new ArgumentError('sockets: expected each socket once, got one of them twice');
    this.#slot = runtime().openPoller();
    this.#id = native.pollerCreate(
      this.#slot,
      this.#items.flatMap((item) => [item.attachment.slot, maskOf(item)]),
    );
    leases.register(this, this.#slot, this);
  }

  /**
   * Calls `body` with a poller and closes it afterwards, whatever happens.
   *
   * @returns what `body` returned
   * @throws (rejects) what `body` throws; {@link ArgumentError} for a body that is no function, and as the constructor
   */
  static async use<Watched extends CommonSocket, Result>(
    sockets: Iterable<Watched | PollItem<Watched>>,
    body: (poller: Poller<Watched>) => Result | Promise<Result>,
  ): Promise<Result> {
    if (typeof body !== 'function') throw argumentError('body', 'a function', body);
    const poller = new Poller(sockets);
    try {
      return await body(poller);
    } finally {
      poller.close();
    }
  }

  /**
   * A poller of another thread, to be closed from this one.
   *
   * @throws {@link ArgumentError} unless it is a poller's `handle`, of this process
   */
  static attach(handle: Handle<'poller'>): PollerCloser {
    const id = idOfHandle(handle, 'poller');
    return { close: () => void native.pollerClose(id) };
  }

  /** A handle for `postMessage`; see `Poller.attach`. */
  get handle(): Handle<'poller'> {
    return makeHandle('poller', this.#id);
  }

  /** Whether it was closed, by whatever thread. */
  get closed(): boolean {
    return this.#closed || (!this.#released && native.pollerClosed(this.#slot));
  }

  /**
   * Waits until a socket is ready.
   *
   * ```ts
   * const { socket, readable } = await poller.wait({ timeout: 1000 });
   * ```
   *
   * @throws (rejects) {@link TimeoutError}; {@link PollerClosedError} when the poller, or a socket of it, is closed
   *   meanwhile; {@link ArgumentError} if the poller is closed or somebody waits on it already
   */
  async wait(options?: WaitOptions): Promise<PollResult<Watched>> {
    const deadline = deadlineOf(options, -1);
    if (deadline.signal?.aborted) throw deadline.signal.reason;
    this.#enter();
    try {
      // A loop over a busy poller never waits: now and then it lets the event loop turn.
      const pause = this.#waited ? undefined : runtime().pause();
      if (pause !== undefined) {
        await pause;
        if (deadline.signal?.aborted) throw deadline.signal.reason;
        if (this.closed) throw new PollerClosedError();
      }
      const result = this.#look();
      this.#waited = result === undefined;
      return result ?? (await this.#wait(deadline));
    } finally {
      this.#busy = false;
    }
  }

  /** As `wait`, blocking the calling thread. */
  waitSync(options?: WaitOptions): PollResult<Watched> {
    const { timeout, signal } = deadlineOf(options, -1);
    if (signal?.aborted) throw signal.reason;
    this.#enter();
    try {
      return this.#waitHere(timeout);
    } finally {
      this.#busy = false;
    }
  }

  /** Closes the poller, not its sockets. Who waits on it gets {@link PollerClosedError}. */
  close(): void {
    if (this.#released) return;
    this.#closed = true;
    this.#released = true;
    leases.unregister(this);
    native.pollerRelease(this.#slot);
    this.#stopWatching();
    runtime().closePoller(this.#slot);
    this.#waiting?.fail(new PollerClosedError());
    this.#waiting = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** One result after another; ends when the poller is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<PollResult<Watched>, void, undefined> {
    while (!this.closed) {
      try {
        yield await this.wait();
      } catch (error) {
        if (this.closed && error instanceof PollerClosedError) return;
        throw error;
      }
    }
  }

  /** @internal The doorbell: something may have happened. */
  wake(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    try {
      if (this.closed) throw new PollerClosedError();
      const result = this.#look();
      if (result === undefined) {
        this.#arm();
        return;
      }
      this.#leave();
      waiting.settle(result);
    } catch (error) {
      this.#leave();
      waiting.fail(error);
    }
  }

  #enter(): void {
    if (this.closed) throw new ArgumentError('Poller is closed, cannot wait on it');
    if (this.#busy) throw new ArgumentError('Poller is being waited on already: one wait at a time');
    for (const { attachment, socket } of this.#items) {
      if (attachment.closed) throw closedError(socket);
    }
    this.#busy = true;
  }

  /** The first ready socket, beginning after the one that was reported last. */
  #look(): PollResult<Watched> | undefined {
    const items = this.#items;
    for (let count = 0; count < items.length; count += 1) {
      const index = (this.#next + count) % items.length;
      const { socket, attachment, readable, writable } = items[index]!;
      if (readable) attachment.receiver.serveWaiting();
      const inbox = readable && attachment.receiver.hasSome;
      const events = inbox && !writable ? POLLIN : attachment.events();
      if (attachment.ended !== undefined) throw closedError(socket);
      const result = {
        socket,
        readable: readable && (inbox || (events & POLLIN) !== 0),
        writable: writable && (events & POLLOUT) !== 0,
      };
      if (!result.readable && !result.writable) continue;
      this.#next = (index + 1) % items.length;
      return result;
    }
    return undefined;
  }

  async #wait(deadline: Deadline): Promise<PollResult<Watched>> {
    if (deadline.timeout === 0) throw new TimeoutError('wait', 0);
    const waiting = new Pending<PollResult, 'poll'>('poll');
    waiting.limit(deadline, 'wait', () => {
      if (this.#waiting !== waiting) return false;
      this.#leave();
      return true;
    });
    this.#waiting = waiting;
    for (const { attachment } of this.#items) {
      attachment.watch(this);
      // To watch may be to learn of something that settles the wait.
      if (this.#waiting !== waiting) {
        this.#stopWatching();
        return waiting.promise as Promise<PollResult<Watched>>;
      }
    }
    runtime().listen(POLLER_TOKEN + this.#slot, this);
    try {
      this.#arm();
    } catch (error) {
      this.#leave();
      waiting.fail(error);
      return waiting.promise as Promise<PollResult<Watched>>;
    }
    this.wake(); // what came since the look, and a close since then
    return waiting.promise as Promise<PollResult<Watched>>;
  }

  #arm(): void {
    native.pollerArm(this.#slot, runtime().sharedLoop());
  }

  #leave(): void {
    this.#waiting = undefined;
    this.#stopWatching();
  }

  #stopWatching(): void {
    runtime().ignore(POLLER_TOKEN + this.#slot);
    for (const { attachment } of this.#items) attachment.unwatch(this);
  }

  #waitHere(timeout: number): PollResult<Watched> {
    const until = timeout < 0 ? Infinity : performance.now() + timeout;
    for (;;) {
      if (this.closed) throw new PollerClosedError();
      for (const { attachment } of this.#items) attachment.receiver.yieldToWatchers();
      const result = this.#look();
      if (result !== undefined) return result;
      const left = Math.min(WAIT_SLICE_MS, Math.ceil(until - performance.now()));
      if (left <= 0) throw new TimeoutError('waitSync', timeout / 1000);
      const outcome = native.pollerWait(this.#slot, left);
      if (outcome === WAIT_CLOSED) throw new PollerClosedError();
      if (outcome < 0) throw zmqError(-outcome, 'Cannot wait');
      if (outcome !== WAIT_LOOK) continue;
    }
  }
}

function itemOf<Watched extends CommonSocket>(
  entry: Watched | PollItem<Watched>,
  name: string,
): Item<Watched> {
  if (entry instanceof Socket) return checked(entry as unknown as Watched, true, false, name);
  if (typeof entry !== 'object' || entry === null || !((entry as PollItem).socket instanceof Socket)) {
    throw argumentError(name, 'a socket or { socket, readable, writable }', entry);
  }
  const { socket, readable = true, writable = false } = entry as PollItem<Watched>;
  for (const [flag, value] of Object.entries({ readable, writable })) {
    if (typeof value !== 'boolean') throw argumentError(`${name}.${flag}`, 'a boolean', value);
  }
  if (!readable && !writable) {
    throw new ArgumentError(`${name}: expected readable or writable to be true, got false for both`);
  }
  return checked(socket, readable, writable, name);
}

function checked<Watched extends CommonSocket>(
  socket: Watched,
  readable: boolean,
  writable: boolean,
  name: string,
): Item<Watched> {
  const attachment = attachmentOf(socket as unknown as Socket);
  if (attachment.closed) throw new ArgumentError(`${name}: expected an open socket, got a closed one`);
  return { socket, attachment, readable, writable };
}

function maskOf(item: Item<unknown>): number {
  return (item.readable ? POLLIN : 0) | (item.writable ? POLLOUT : 0);
}

function closedError(socket: CommonSocket): PollerClosedError {
  const cause = Object.assign(new SocketClosedError(`The watched ${socket.type} socket was closed`), {
    socket,
  });
  return new PollerClosedError('A socket of the poller was closed', { cause });
}
