/** What a handler gets besides the message. */
import { serialize } from 'node:v8';
import { NO_SOURCE } from '../layout.js';
import type { Message } from '../message.js';
import type { LogLevel } from './outlet.js';
import { shown } from './wire-error.js';
import type { Work } from './work.js';

/** Sends lines to the thread that called `serve` or `pipeline`, where they are `'log'` events. */
export interface HandlerLogger {
  /** A line of level `'debug'`. */
  debug(...args: unknown[]): void;
  /** A line of level `'info'`. */
  info(...args: unknown[]): void;
  /** A line of level `'warn'`. */
  warn(...args: unknown[]): void;
  /** A line of level `'error'`. */
  error(...args: unknown[]): void;
}

/**
 * The second argument of a handler.
 *
 * ```ts
 * export default async function (request: Message[], ctx: HandlerContext) {
 *   const response = await fetch(String(request[0]), { signal: ctx.signal });
 *   return response.text();
 * }
 * ```
 */
export interface HandlerContext {
  /** The number of the handler thread, from 0. */
  readonly thread: number;
  /** Where the message came from, `'127.0.0.1'` for instance; undefined if it did not come over a connection. */
  readonly peerAddress: string | undefined;
  /** The peer's routing id; undefined where the source is not a ROUTER socket. */
  readonly routingId: Message | undefined;
  /** How often this message was begun before, by threads that died. */
  readonly attempt: number;
  /** Its number in order of receipt, 32 bits, wrapping. */
  readonly ticket: number;
  /** Which source it came from, in the order of the options; undefined from the second stage of a pipeline on. */
  readonly source: number | undefined;
  /** Aborts when the time for the message is up, and when the server closes without waiting for it. */
  readonly signal: AbortSignal;
  /** Its lines are `'log'` events of the server or pipeline. */
  readonly logger: HandlerLogger;
}

/** What all messages of a thread share. */
export interface ContextOfThread {
  readonly thread: number;
  readonly logger: HandlerLogger;
  /** Why running handlers are aborted, once they are. */
  aborted: Error | undefined;
}

export class WorkContext implements HandlerContext {
  readonly #work: Work;
  readonly #shared: ContextOfThread;

  constructor(work: Work, shared: ContextOfThread) {
    this.#work = work;
    this.#shared = shared;
  }

  get thread(): number {
    return this.#shared.thread;
  }

  get logger(): HandlerLogger {
    return this.#shared.logger;
  }

  get peerAddress(): string | undefined {
    const first = this.#work.envelope[0] ?? this.#work.frames[0];
    return first?.metadata('Peer-Address');
  }

  get routingId(): Message | undefined {
    return this.#work.envelope[0];
  }

  get attempt(): number {
    return this.#work.attempts;
  }

  get ticket(): number {
    return this.#work.ticket;
  }

  get source(): number | undefined {
    const { source } = this.#work;
    return source === NO_SOURCE ? undefined : source;
  }

  get signal(): AbortSignal {
    // What began only after the others were told to stop.
    if (this.#shared.aborted !== undefined) this.#work.abortFor(this.#shared.aborted);
    return this.#work.signal;
  }
}

export function makeLogger(send: (level: LogLevel, args: Uint8Array) => void): HandlerLogger {
  return {
    debug: (...args) => send('debug', serialized(args)),
    info: (...args) => send('info', serialized(args)),
    warn: (...args) => send('warn', serialized(args)),
    error: (...args) => send('error', serialized(args)),
  };
}

/** A copy, for messages are in memory that is soon used again. What cannot be copied is told in words. */
function serialized(args: readonly unknown[]): Uint8Array {
  try {
    return serialize(args);
  } catch {
    return serialize(args.map((arg) => (typeof arg === 'string' ? arg : shown(arg))));
  }
}
