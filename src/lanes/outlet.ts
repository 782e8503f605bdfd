/** What becomes of the handler's results, in the handler thread. */
import type { MessagePort } from 'node:worker_threads';
import type { Message } from '../message.js';
import type { Hooks } from './handler-module.js';
import type { Work } from './work.js';

export interface Outlet {
  /** What the handler gets; the frames without their envelope unless it says otherwise. */
  open?(work: Work): Message[];
  /**
   * Does something with the handler's result.
   *
   * @returns undefined when it is done, so that the message is settled; otherwise a promise. Until that resolves, the
   *   message is in flight, and keeps its place among those that `concurrency` allows unless `work.leave()` is called.
   * @throws (or rejects) what then becomes of a failure of the handler: `fail` is called
   */
  deliver(work: Work, result: unknown): Promise<void> | undefined;
  /**
   * Takes a result that may leave a little later, with others: `sendKept` is called soon.
   *
   * @returns false if there is no place for it: then `deliver` is called
   */
  keep?(work: Work, result: unknown): boolean;
  /** Sends what it keeps. @returns of those that have not left, as `deliver` has it; undefined if all have */
  sendKept?(): ReadonlyMap<Work, Promise<void> | undefined> | undefined;
  /**
   * Does something with one of the results of a handler that yields them; `deliver` is called after the last, with
   * undefined. The handler goes on when the promise resolves. Without it nothing is iterated over.
   */
  part?(work: Work, result: unknown): Promise<void> | undefined;
  /** The handler threw, rejected or took too long. Otherwise as `deliver`. */
  fail(work: Work, error: Error): Promise<void> | undefined;
  /** Called before the thread sleeps, and every now and then while it is busy. */
  flush?(): void;
  /** The lane's doorbell rang: there may be room where there was none. */
  wake?(): void;
  /** After the last message. */
  close?(): void | Promise<void>;
}

/** What an outlet knows of its thread. */
export interface OutletThread {
  /** The thread's number, from 0. */
  readonly index: number;
  readonly lane: number;
  /**
   * The lane's control block: LANE_SENT and LANE_DROPPED are the outlet's to count, and while it delivers a message, the
   * state of its slot is its to tell.
   */
  readonly control: Int32Array;
  /** What the handler's module exports besides the handler. */
  readonly hooks: Hooks;
  /** Tells the host something, unless it has too much to read already. */
  report(report: Report): void;
  /** Has the host do something about a failed message (`onAsk`); resolves when it has. */
  ask(work: Work, error: Error): Promise<void>;
}

/** The default export of an outlet's module. */
export type MakeOutlet = (data: unknown, thread: OutletThread) => Outlet | Promise<Outlet>;

/** An error on its way between threads: structured cloning would lose its code. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
}

/** A message about which something is reported: copied, so that it stays. */
export interface ReportedMessage {
  readonly ticket: number;
  readonly source: number;
  readonly attempts: number;
  readonly envelope: Uint8Array[];
  readonly frames: Uint8Array[];
}

/** What a handler thread posts to its host; what is logged as `v8.serialize` has it. */
export type Report =
  | { readonly type: 'hello'; readonly threadId: number }
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly error: WireError; readonly message: ReportedMessage }
  | { readonly type: 'dropped'; readonly error: WireError; readonly message: ReportedMessage }
  | {
      readonly type: 'ask';
      readonly id: number;
      readonly error: WireError;
      readonly message: ReportedMessage;
    }
  | { readonly type: 'log'; readonly level: LogLevel; readonly args: Uint8Array };

/** What a host posts to a handler thread: it has done what it was asked for. */
export interface HostMessage {
  readonly answered: number;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What a handler thread is started with, as Piscina's task. */
export interface ThreadTask {
  readonly label: string;
  readonly index: number;
  readonly lane: number;
  readonly control: Int32Array;
  /** Where the lane's memory arrives. */
  readonly chunks: MessagePort;
  readonly reports: MessagePort;
  readonly handler: { readonly href: string; readonly exportName: string };
  readonly outlet: { readonly module: string; readonly data: unknown };
  readonly concurrency: number;
  /** Whether the thread waits for its turn where cores are busy. */
  readonly batch: boolean;
  /** In milliseconds, -1 for none. */
  readonly timeout: number;
  /** Histograms of the lane, in microseconds. */
  readonly latency: unknown;
  readonly service: unknown;
}
