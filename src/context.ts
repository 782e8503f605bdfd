/**
 * Contexts: what sockets belong to, and what is closed last.
 */
import { argumentError, ContextClosedError, TimeoutError, zmqError } from './errors.js';
import { type Handle, idOfHandle, makeHandle } from './handles.js';
import { runtime } from './io-runtime.js';
import { native, UNSENT_DROPPED, UNSENT_WAITING } from './native.js';
import {
  checkOptionAccess,
  decodeIntOption,
  encodeIntOption,
  findContextOption,
  type OptionValue,
} from './option-codec.js';
import {
  type ContextOptionProperties,
  type ContextOptions,
  contextSettings,
  defineOptionProperties,
} from './option-types.js';
import { checkOptions, checkTimeout, LONGEST_TIMER } from './pending.js';
import { attachmentOf, type Socket } from './socket.js';

/** Options of `Context.close`. */
export interface ContextCloseOptions {
  /**
   * How long unsent messages may still be sent, in milliseconds; 5,000 unless told, and 100 at least. A socket whose
   * linger is shorter is not waited for any longer than that. 0 drops them at once, which is no error.
   */
  timeout?: number | undefined;
}

const DEFAULT_CLOSE_MS = 5000;
/** How much longer than its linger libzmq may take to notice, in milliseconds. */
const SLACK_MS = 500;
/**
 * The least that sockets are granted, in milliseconds: to close those that have nothing unsent takes some, too, and libzmq
 * does not say what it drops.
 */
const LEAST_MS = 100;
const LARGEST_WORKERS = 64;

/** In place of options: the context is there already. */
class Attaching {
  constructor(readonly id: number) {}
}

let current: Context | undefined;

/** Contexts that nobody can reach any more, nor a socket of theirs, are given back. */
const slots = new FinalizationRegistry<number>((slot) => native.contextRelease(slot));

/**
 * The default context: made on first use, shared by all threads of the process, closed at exit and made anew after
 * it was closed.
 *
 * ```ts
 * context().ioThreads = 2; // before the first socket
 * ```
 */
export function context(): Context {
  if (current === undefined || current.closed) current = Context.shared();
  return current;
}
// In npm zeromq `context` is the context itself: `context.blocky = false` must not go unnoticed here.
Object.freeze(context);

/**
 * A context of one's own. Sockets on `inproc://` find each other within one context.
 *
 * ```ts
 * await Context.use(async (context) => {
 *   const socket = new Pair({ context });
 *   ...
 * }); // closed, with its sockets
 * ```
 */
export class Context {
  /** How many I/O workers share the sockets of this context; undefined where they use the thread's common one. */
  readonly ioWorkers: number | undefined;
  /** @internal */
  readonly slot: number;
  readonly #sockets = new Set<WeakRef<Socket>>();
  readonly #forget = new FinalizationRegistry<WeakRef<Socket>>((socket) => this.#sockets.delete(socket));
  /** Which sockets had something to send when the context was shut down: after that libzmq does not say. */
  #shutDown: string[] = [];
  #closing: Promise<void> | undefined;
  #released = false;

  /** @throws {@link ArgumentError} for unknown options or bad values */
  constructor(options?: ContextOptions) {
    const isShared = (options as unknown) === SHARED || options instanceof Attaching;
    const settings = isShared ? [] : contextSettings(options);
    const ioWorkers = isShared ? undefined : options?.ioWorkers;
    if (
      ioWorkers !== undefined &&
      !(Number.isInteger(ioWorkers) && ioWorkers >= 1 && ioWorkers <= LARGEST_WORKERS)
    ) {
      throw argumentError('ioWorkers', `an integer from 1 to ${LARGEST_WORKERS}`, ioWorkers);
    }
    this.ioWorkers = ioWorkers;
    this.slot =
      options instanceof Attaching
        ? native.contextAttach(options.id)
        : isShared
          ? native.contextDefault()
          : native.contextCreate();
    if (options instanceof Attaching && this.slot < 0) throw new ContextClosedError();
    if (this.slot < 0) throw zmqError(-this.slot, 'Cannot create a context');
    slots.register(this, this.slot, this);
    try {
      for (const { entry, value } of settings) this.setOption(entry.name, value as OptionValue);
    } catch (error) {
      void this.close();
      throw error;
    }
  }

  /** @internal */
  static shared(): Context {
    return new Context(SHARED as ContextOptions);
  }

  /**
   * The same context in another thread, or here: sockets of both find each other on `inproc://`. Whoever closes it
   * closes it for all. It stays open while any thread has it. How many I/O workers serve its sockets is each
   * thread's own affair: here, the thread's common ones do.
   *
   * ```ts
   * const context = Context.attach(workerData.context);
   * ```
   *
   * @param handle what `share()` gave, as it came out of `postMessage` or `workerData`
   * @throws {@link ArgumentError} for anything else, {@link ContextClosedError} if the context is closed or nobody has
   *   it any more
   */
  static attach(handle: Handle<'context'>): Context {
    return new Context(new Attaching(idOfHandle(handle, 'context')) as ContextOptions);
  }

  /**
   * Calls `body` with a new context and closes it afterwards, whatever happens.
   *
   * ```ts
   * const answer = await Context.use(async (context) => ask(new Request({ context })));
   * ```
   *
   * @returns what `body` returned
   * @throws (rejects) what `body` throws, or else as `close()`; {@link ArgumentError} for a body that is no function, and
   *   as the constructor
   */
  static async use<Result>(
    body: (context: Context) => Result | Promise<Result>,
    options?: ContextOptions,
  ): Promise<Result> {
    if (typeof body !== 'function') throw argumentError('body', 'a function', body);
    const made = new Context(options);
    let result: Result;
    try {
      result = await body(made);
    } catch (error) {
      // What went wrong first is what counts: messages may well be unsent then.
      await made.close().catch(() => {});
      throw error;
    }
    await made.close();
    return result;
  }

  /** Whether it was closed, or is being closed. */
  get closed(): boolean {
    return this.#closing !== undefined || this.#released || native.contextClosed(this.slot);
  }

  /**
   * A handle of this context for `postMessage`; see `Context.attach`. It does not keep the context open.
   *
   * @throws {@link ContextClosedError}
   */
  share(): Handle<'context'> {
    if (this.closed) throw new ContextClosedError();
    return makeHandle('context', native.contextId(this.slot));
  }

  /** The value of an option, by the name of its property or libzmq's. @throws {@link ContextClosedError} */
  getOption(name: string): OptionValue {
    const entry = findContextOption(name);
    checkOptionAccess(entry, 'r');
    if (this.#released) throw new ContextClosedError();
    const error = [0];
    const value = native.contextGet(this.slot, entry.id, error);
    if (value === undefined) throw zmqError(error[0]!, `Cannot read option '${entry.name}'`);
    return decodeIntOption(entry, value);
  }

  /** Sets an option; most take effect for sockets made afterwards. @throws {@link ArgumentError} for a bad value */
  setOption(name: string, value: OptionValue): void {
    const entry = findContextOption(name);
    checkOptionAccess(entry, 'w');
    if (this.#released) throw new ContextClosedError();
    const errno = native.contextSet(this.slot, entry.id, encodeIntOption(entry, value));
    if (errno !== 0) throw zmqError(errno, `Cannot set option '${entry.name}'`);
  }

  /**
   * Ends all waiting on sockets of this context, in every thread, with {@link ContextClosedError}. They can only be
   * closed from now on, though a thread may still take what it has received ahead; one that would linger for ever
   * lingers for a second.
   */
  shutdown(): void {
    if (this.#released) return;
    if (this.#shutDown.length === 0) this.#shutDown = this.#open().flatMap(lingering);
    native.contextShutdown(this.slot);
  }

  /**
   * Closes the context and the sockets that are still open. Resolves when libzmq is done with it: when all messages
   * are sent, or the sockets' linger is over.
   *
   * ```ts
   * await context.close({ timeout: 1000 });
   * ```
   *
   * @throws (rejects) {@link TimeoutError} if messages were unsent when the timeout was over; it says of which sockets.
   *   With a timeout of 0 only if they cannot be dropped at once: of sockets that were closed before
   */
  close(options?: ContextCloseOptions): Promise<void> {
    try {
      const { timeout = DEFAULT_CLOSE_MS } = checkOptions(options, ['timeout']);
      checkTimeout(timeout);
      this.#closing ??= this.#close(timeout);
      return this.#closing;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal */
  track(socket: Socket): void {
    const reference = new WeakRef(socket);
    this.#sockets.add(reference);
    this.#forget.register(socket, reference);
  }

  /** The sockets of this thread that are open. */
  #open(): Socket[] {
    return [...this.#sockets]
      .map((reference) => reference.deref())
      .filter((socket): socket is Socket => socket?.closed === false);
  }

  async #close(timeout: number): Promise<void> {
    const open = this.#open();
    const names = this.#shutDown.length > 0 ? this.#shutDown : open.flatMap(lingering);
    const granted = timeout <= 0 ? timeout : Math.ceil(Math.max(timeout, LEAST_MS));
    const unsent = (): number =>
      timeout < 0 ? 0 : native.contextUnsent(this.slot, begun + timeout, begun + granted);
    let settled = (): void => {};
    const terminated = new Promise<'sent' | 'unsent'>((resolve) => {
      settled = (): void => {
        // Who grants no time wants them dropped.
        const dropped = timeout !== 0 && unsent() === UNSENT_DROPPED;
        this.#released = true;
        slots.unregister(this);
        native.contextRelease(this.slot);
        resolve(dropped ? 'unsent' : 'sent');
      };
    });
    const begun = native.contextClose(this.slot, granted, settled);
    for (const socket of open) socket.close();
    runtime().closeGroup(this);
    const limit = timeout < 0 ? LONGEST_TIMER : granted + SLACK_MS;
    let outcome = await keepingProcess(terminated, limit);
    if (outcome === undefined) {
      // Either libzmq is late, or this thread was.
      if (unsent() === UNSENT_WAITING) outcome = 'unsent';
      else outcome = await keepingProcess(terminated, LONGEST_TIMER);
    }
    if (outcome !== 'unsent') return;
    const waitsFor =
      names.length > 0
        ? `unsent messages of ${names.slice(0, 8).join(', ')}${names.length > 8 ? ', ...' : ''}`
        : 'unsent messages of sockets that were closed before with a longer linger';
    throw new TimeoutError(`Closing the context (waiting for ${waitsFor})`, timeout / 1000);
  }
}

export interface Context extends ContextOptionProperties {}

defineOptionProperties(Context.prototype, 'context');

const SHARED: unknown = Object.freeze({});

/** The socket's name, if it may have unsent messages that its close does not drop. */
function lingering(socket: Socket): string[] {
  if (!native.socketHasSent(attachmentOf(socket).slot)) return [];
  try {
    if (socket.linger === 0) return [];
    return [`${socket.type} ${socket.lastEndpoint ?? 'that is not connected'}`];
  } catch {
    return []; // shut down by another thread, or closed meanwhile
  }
}

/** @returns what the promise resolves to, or undefined after so many milliseconds */
async function keepingProcess<Value>(
  promise: Promise<Value>,
  milliseconds: number,
): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.min(milliseconds, LONGEST_TIMER));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
