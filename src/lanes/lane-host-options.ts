/** What a `LaneHost` is made of, and what it tells. */
import type { ZmqError } from '../errors.js';
import type { LaneMessage } from '../native.js';
import type { Socket } from '../socket.js';
import type { CheckedHandlerOptions } from './host-options.js';
import type { LaneIo } from './lane-io.js';
import type { LogLevel, ReportedMessage } from './outlet.js';
import type { NativeRoute } from './route.js';

export interface LaneHostOptions extends CheckedHandlerOptions {
  /** What it is called in errors: `'serve'`, `'pipeline stage 1'`. */
  readonly label: string;
  readonly io: LaneIo;
  readonly sources: readonly Socket[];
  readonly route: NativeRoute;
  readonly outlet: { readonly module: string; readonly data: unknown };
  /** A thread's outlet asks for something, and holds the message until it is done. */
  readonly onAsk?: (message: ReportedMessage, error: Error, thread: number) => void;
  /** A message whose thread died while it ran, and that is not tried again. */
  readonly onLost?: (lost: LostMessage) => void;
  /** Whether a message's results are safe although its thread is gone. */
  readonly isSafe?: (ticket: number) => boolean;
  /** The thread of a lane is gone for good, and with it what it had begun. */
  readonly onThreadGone?: (lane: number, begun: readonly LostMessage[]) => void;
}

/** A message that a thread had begun when it died. */
export interface LostMessage extends LaneMessage {
  readonly error: Error;
  readonly thread: number;
  /** Tried again; not; or unknown, because its result was just on its way out. */
  readonly outcome: 'retried' | 'failed' | 'unknown';
}

/** What `LaneHost` emits. */
export interface LaneHostEvents {
  failed: [error: Error, message: ReportedMessage, thread: number];
  /** A result that could not be delivered. */
  dropped: [error: Error, message: ReportedMessage, thread: number];
  lost: [LostMessage];
  /** A message that came and that no thread can get, without what is not envelope. */
  refused: [error: ZmqError, message: ReportedMessage];
  thread: [event: ThreadEvent];
  log: [level: LogLevel, args: unknown[], thread: number];
}

/** Something that happened to a handler thread. */
export interface ThreadEvent {
  /** `'circuit-open'`: it died too often and is not replaced for a while. */
  readonly type: 'started' | 'died' | 'circuit-open';
  /** The thread's number, from 0. */
  readonly thread: number;
  /** What it died of. */
  readonly error?: Error;
  /** Until it is replaced, in milliseconds. */
  readonly wait?: number;
}
