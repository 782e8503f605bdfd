/** The outlet of `serve`: the handler thread itself replies, through the server's socket. */
import type { Sendable } from '../encode.js';
import { argumentError, errnoCode } from '../errors.js';
import type { Handle } from '../handles.js';
import { reported } from '../lanes/lane-consumer.js';
import type { Outlet, OutletThread } from '../lanes/outlet.js';
import { toWire } from '../lanes/wire-error.js';
import type { Work } from '../lanes/work.js';
import { LANE_DROPPED, LANE_SENT, SLOT_STATE, SLOT_STATE_DELIVERING, SLOT_STATE_WAITING } from '../layout.js';
import { attachmentOf, Socket } from '../socket.js';
import { checkReply, defaultErrorReply, type ErrorReply, framesOf, wordedReply } from './error-reply.js';
import { ReplyBatch } from './reply-batch.js';
import { ReplyQueue } from './reply-queue.js';

export interface ReplyOutletData {
  readonly socket: Handle<'socket'>;
  /** Who words the answer to a failure: this thread, the host, or nobody. */
  readonly errorReply: 'thread' | 'host' | 'none';
  /** How long a reply may wait for a peer that does not read, in milliseconds. */
  readonly patience: number;
}

class ReplyOutlet implements Outlet {
  private readonly socket: Socket;
  private readonly queue: ReplyQueue;
  private readonly batch: ReplyBatch;
  private readonly wording: ErrorReply;

  constructor(
    private readonly data: ReplyOutletData,
    private readonly thread: OutletThread,
  ) {
    this.socket = Socket.attach(data.socket);
    this.queue = new ReplyQueue(data.patience);
    this.batch = new ReplyBatch(thread.lane, thread.control, attachmentOf(this.socket).slot);
    this.wording = (thread.hooks.errorReply as ErrorReply | undefined) ?? defaultErrorReply;
  }

  deliver(work: Work, result: unknown): Promise<void> | undefined {
    if (Array.isArray(result) && result.length === 0) {
      throw argumentError('the reply', 'at least one frame', result);
    }
    try {
      return this.reply(work, framesOf(result));
    } catch (error) {
      checkReply(result); // says it in the handler's terms: it knows nothing of the envelope
      throw error;
    }
  }

  keep(work: Work, result: unknown): boolean {
    if (Array.isArray(result) && result.length === 0) return false;
    // To a peer without room they would not stay in order. Its name is looked at only while there is one.
    if (!this.queue.idle && !this.queue.hasRoom(this.socket, work.routingId)) return false;
    try {
      return this.batch.add(work, result);
    } catch {
      return false; // frames may have getters: deliver() meets it again
    }
  }

  sendKept(): ReadonlyMap<Work, Promise<void> | undefined> | undefined {
    const unsent = this.batch.send();
    return unsent && new Map(unsent.map(({ work, errno, parts }) => [work, this.resend(work, errno, parts)]));
  }

  fail(work: Work, error: Error): Promise<void> | undefined {
    if (this.data.errorReply === 'none') return undefined;
    if (this.data.errorReply === 'host') {
      work.leave();
      return this.thread.ask(work, error);
    }
    const frames = wordedReply(this.wording, error, work.frames);
    return frames === undefined ? undefined : this.reply(work, frames);
  }

  private reply(work: Work, frames: Sendable[]): Promise<void> | undefined {
    const parts = [...work.envelope, ...frames];
    return this.counted(work, (mayLeave) => this.queue.send(this.socket, parts, mayLeave));
  }

  /** What was kept and did not leave. */
  private resend(work: Work, errno: number, parts: Buffer[]): Promise<void> | undefined {
    return this.counted(work, (mayLeave) => {
      if (errnoCode(errno) === 'EAGAIN') return this.queue.wait(this.socket, parts, mayLeave);
      throw attachmentOf(this.socket).failure(errno, 'Cannot send');
    });
  }

  private counted(
    work: Work,
    send: (mayLeave: (may: boolean) => void) => Promise<void> | undefined,
  ): Promise<void> | undefined {
    const { control } = this.thread;
    let sent: Promise<void> | undefined;
    try {
      // Whoever rescues what a dead thread left answers what has not left.
      sent = send((may) => {
        Atomics.store(control, work.slot + SLOT_STATE, may ? SLOT_STATE_DELIVERING : SLOT_STATE_WAITING);
      });
    } catch (error) {
      if (error instanceof TypeError) throw error; // it cannot be sent, to nobody
      this.drop(work, error);
      return undefined;
    }
    if (sent === undefined) {
      Atomics.add(control, LANE_SENT, 1);
      return undefined;
    }
    work.leave();
    return sent.then(
      () => {
        Atomics.add(control, LANE_SENT, 1);
      },
      (error: unknown) => this.drop(work, error),
    );
  }

  private drop(work: Work, error: unknown): void {
    Atomics.add(this.thread.control, LANE_DROPPED, 1);
    this.thread.report({ type: 'dropped', error: toWire(error), message: reported(work) });
  }

  flush(): void {
    attachmentOf(this.socket).sender.flush();
  }

  close(): void {
    this.queue.close();
    this.flush();
  }
}

export default function makeReplyOutlet(data: unknown, thread: OutletThread): Outlet {
  return new ReplyOutlet(data as ReplyOutletData, thread);
}
