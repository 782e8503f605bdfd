/**
 * Sending: straight from the calling thread. What finds no room is parked in the addon, in order, until this thread's
 * event loop or an I/O worker has sent it.
 *
 * A token names a waiting send; its outcome comes back through `complete()`.
 */
import type { Attachment } from './attachment.js';
import { encodePart, pinParts, stageAll, stageOne } from './encode.js';
import { argumentError, errnoCode, TimeoutError, ZmqError } from './errors.js';
import { checkDatagram, checkStreamMessage, checkTags, singleFrame, tagsOf } from './fixed-frames.js';
import type { EventLoopWaiter } from './io-runtime.js';
import {
  CTL_OUTCOMES,
  PARKED_UNWATCHED,
  PARKED_WATCHED,
  SEND_DONE,
  SEND_FIRST_TOKEN,
  SEND_SETTLE,
  WAIT_SLICE_MS,
} from './layout.js';
import { collectFreed } from './message.js';
import { FLAG_MAY_PARK, FLAG_MORE, native } from './native.js';
import { checkFlag, checkOptions, deadlineOf, Pending, type WaitOptions } from './pending.js';

/** Options of a send. */
export interface SendOptions extends WaitOptions {
  /** Whether another frame of the same message follows. */
  more?: boolean | undefined;
  /** To whom, on SERVER and PEER sockets: 1 to 2^32 - 1. That of the message, if it has one, unless told. */
  routingId?: number | undefined;
  /** The group, on RADIO sockets. That of the message, if it has one, unless told. */
  group?: string | undefined;
}

// Looked up once: the addon's exports are many, and looking one up is a hash table's work.
const { sendCopied, sendOne, sendStaged } = native;

const FRAME_NAMES = ['more', 'routingId', 'group'] as const;
const SEND_NAMES = ['timeout', 'signal', ...FRAME_NAMES] as const;
const DONE: Promise<void> = Promise.resolve();
/** Sends between two looks at the clock, and between two checks for a swallowed edge. */
const SENDS_PER_CHECK = 64;

export class Sender implements EventLoopWaiter {
  private readonly pending = new Map<number, Pending<void, 'send'>>();
  private sends = 0;
  private unsettled = 0;
  private settling = false;
  /** Who sends what is parked. */
  private by: 'nobody' | 'eventLoop' | 'ioWorker' = 'nobody';
  /** Whether the event loop will call once there is room, as far as we know. */
  private watching = false;
  /** Whether the event loop cannot tell when there is room: libzmq does not say so for all types. */
  private untold = false;
  /** Whether the first of two frames was sent. */
  private begun = false;
  /** Whether a blocking send waits. */
  private blocked = false;

  /** Whether messages must have so many frames. */
  private readonly checked: boolean;

  constructor(private readonly attachment: Attachment) {
    const { frames, name } = attachment.type;
    this.checked = frames !== undefined || name === 'STREAM';
  }

  async fails(error: unknown): Promise<void> {
    throw error;
  }

  send(data: unknown, options?: SendOptions, what = 'send'): Promise<void> {
    const { attachment } = this;
    try {
      if (attachment.ended !== undefined) throw attachment.ended;
      if (options === undefined && attachment.sendTimeout === -1) {
        const result = this.handOver(data, false, true);
        return result === SEND_DONE ? this.accepted() : this.outcome(result, what, -1, undefined);
      }
      const { timeout, signal } = deadlineOf(options, attachment.sendTimeout, SEND_NAMES);
      if (signal?.aborted) throw signal.reason;
      const result = this.handOver(data, checkFlag('more', options?.more), timeout !== 0, options);
      return this.outcome(result, what, timeout, signal);
    } catch (error) {
      return this.fails(error);
    }
  }

  /**
   * Takes over a send that native code made and that may wait.
   *
   * @param result what it returned
   * @returns undefined if it is accepted, otherwise a promise of that. @throws (rejects) what became of it else
   */
  sent(result: number): Promise<void> | undefined {
    const { sendTimeout } = this.attachment;
    if (result >= SEND_FIRST_TOKEN) return this.outcome(result, 'send', sendTimeout, undefined);
    if (result < 0) throw this.sendError(-result, 'send', sendTimeout);
    this.note(result);
    return undefined;
  }

  trySend(data: unknown, options?: SendOptions): boolean {
    const { attachment } = this;
    if (attachment.ended !== undefined) throw attachment.ended;
    const result = this.handOver(
      data,
      checkFlag('more', checkOptions(options, FRAME_NAMES).more),
      false,
      options,
    );
    if (result >= 0) {
      this.note(result);
      return true;
    }
    if (errnoCode(-result) === 'EAGAIN') return false;
    throw attachment.failure(-result, 'Cannot send');
  }

  sendSync(data: unknown, options?: SendOptions): void {
    const { attachment } = this;
    if (attachment.ended !== undefined) throw attachment.ended;
    const { timeout, signal } = deadlineOf(options, attachment.sendTimeout, SEND_NAMES);
    if (signal?.aborted) throw signal.reason;
    const result = this.handOver(data, checkFlag('more', options?.more), timeout !== 0, options);
    if (result >= SEND_FIRST_TOKEN) {
      this.blocked = true;
      // This thread sends by itself; but it receives nothing meanwhile.
      if (this.waitsForPeer) this.serve();
      try {
        this.waitSent(result, timeout);
      } finally {
        this.blocked = false;
      }
      return;
    }
    if (result < 0) throw this.sendError(-result, 'sendSync', timeout);
    this.note(result);
    // Nobody comes to settle at the end of a turn that this thread may spend in blocking calls.
    if (result === SEND_SETTLE) this.settle();
  }

  /** Encodes and sends. @returns a SEND code or -errno */
  private handOver(data: unknown, more: boolean, mayPark: boolean, options?: SendOptions): number {
    const { ended, type } = this.attachment;
    if (ended !== undefined) throw ended; // the options may have getters, which do what they like
    if (this.checked || options !== undefined) {
      checkTags(type, options);
      if (type.frames === 1) return this.sendSingle(singleFrame(type, data, more), options, mayPark);
      if (this.checked) return this.sendPair(data, more, mayPark);
    }
    return this.sendMessage(data, more, mayPark);
  }

  /** Sends what has to have two frames. */
  private sendPair(data: unknown, more: boolean, mayPark: boolean): number {
    if (this.attachment.type.name === 'DGRAM') checkDatagram(data, more);
    else checkStreamMessage(data, more, this.begun);
    const result = this.sendMessage(data, more, mayPark);
    if (result >= 0) this.begun = more;
    return result;
  }

  private sendMessage(data: unknown, more: boolean, mayPark: boolean): number {
    const { slot } = this.attachment;
    const flags = (more ? FLAG_MORE : 0) | (mayPark ? FLAG_MAY_PARK : 0);
    if (!Array.isArray(data)) {
      const size = stageOne(data);
      if (size >= 0) return sendOne(slot, size * 4 + flags);
      return this.sendParts([encodePart(data)], flags);
    }
    if (data.length === 0) throw argumentError('data', 'at least one frame', data);
    if (stageAll(data)) {
      this.checkOpen();
      return sendStaged(slot, data.length * 4 + flags);
    }
    const parts: Uint8Array[] = [];
    for (let index = 0; index < data.length; index += 1) parts.push(encodePart(data[index], index));
    this.checkOpen();
    return this.sendParts(parts, flags);
  }

  /** The list may have getters, which do what they like. */
  private checkOpen(): void {
    const { ended } = this.attachment;
    if (ended !== undefined) throw ended;
  }

  /** Sends the one frame of a message that cannot have more. */
  private sendSingle(data: unknown, options: SendOptions | undefined, mayPark: boolean): number {
    const { slot, type } = this.attachment;
    const { routingId, group } = tagsOf(type, data, options);
    return native.sendTagged(slot, encodePart(data), routingId, group, mayPark);
  }

  private sendParts(parts: Uint8Array[], flags: number): number {
    const { slot, lends } = this.attachment;
    const pins = lends ? pinParts(parts) : undefined;
    if (pins === undefined) return sendCopied(slot, parts, parts.length * 4 + flags);
    const result = native.sendParts(slot, parts, pins, flags);
    collectFreed();
    return result;
  }

  private outcome(
    result: number,
    what: string,
    timeout: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (result < SEND_FIRST_TOKEN) {
      if (result < 0) throw this.sendError(-result, what, timeout);
      this.note(result);
      return this.accepted();
    }
    const { attachment } = this;
    const token = result;
    const pending = new Pending<void, 'send'>('send');
    pending.limit({ timeout, signal }, what, () => {
      if (!this.pending.has(token) || !native.cancelSend(attachment.slot, token)) return false;
      this.forget(token);
      return true;
    });
    this.pending.set(token, pending);
    attachment.runtime.worked();
    attachment.hold();
    this.serve();
    // It may be known by now, and the doorbell may have rung for it when nobody listened for this socket.
    this.complete();
    return pending.promise;
  }

  /** The promise of a send that is done; now and then one that lets the event loop turn. */
  private accepted(): Promise<void> {
    const { runtime } = this.attachment;
    // Sends that waited are done, too, even if the doorbell has not said so yet: they settle first.
    if (this.pending.size > 0) this.complete();
    this.sends += 1;
    if (this.sends >= SENDS_PER_CHECK) {
      this.sends = 0;
      runtime.pause();
    }
    const { pausing } = runtime;
    // One that waited settles a step after the pause, and those after it no sooner.
    return pausing === undefined ? DONE : pausing.then(() => {});
  }

  private note(result: number): void {
    if (result === SEND_SETTLE) {
      this.unsettled += 1;
      if (this.unsettled >= SENDS_PER_CHECK) this.settle();
      else if (!this.settling) {
        this.settling = true;
        process.nextTick(this.settle);
      }
    }
  }

  /** Looks whether our sends swallowed an edge that an I/O worker waits for. */
  private readonly settle = (): void => {
    this.settling = false;
    if (this.unsettled === 0 || this.attachment.ended !== undefined) return;
    this.unsettled = 0;
    native.settle(this.attachment.slot);
  };

  /** Does now what would be done at the end of the turn. */
  flush(): void {
    this.settle();
  }

  /** Whether sends wait that fail once the peer is gone. */
  get waitsForPeer(): boolean {
    return this.attachment.type.namesPeer && (this.blocked || this.pending.size > 0);
  }

  /**
   * Makes sure that what is parked is sent once there is room: by this thread's event loop as long as its turns are
   * short, which costs no other thread, or by an I/O worker, whatever this thread does.
   */
  private serve(): void {
    try {
      this.haveSent();
    } catch (error) {
      // No I/O worker is to be had. What is half sent waits on; a blocking send does without.
      if (!(error instanceof ZmqError)) throw error;
      for (const [token, pending] of [...this.pending]) {
        if (!native.cancelSend(this.attachment.slot, token)) continue;
        this.forget(token);
        pending.fail(error);
      }
    }
  }

  private haveSent(): void {
    if (this.watching) return;
    const { attachment } = this;
    const { slot } = attachment;
    if (!this.untold && attachment.watchesItself) {
      const parked = native.sendOrWatch(slot);
      if (parked < 0) {
        attachment.failure(-parked, 'Cannot send'); // which ends all that waits
        return;
      }
      this.watching = parked === PARKED_WATCHED;
      this.untold = parked === PARKED_UNWATCHED;
      if (this.watching && this.by !== 'eventLoop') {
        this.by = 'eventLoop';
        attachment.runtime.standBy(this);
      }
      if (!this.untold) return;
    }
    if (this.by !== 'ioWorker') {
      const loop = attachment.useLoop();
      this.by = 'ioWorker';
      native.sendBy(slot, loop);
    }
    if (this.waitsForPeer) attachment.receiver.receiveAhead();
  }

  standBy(): void {
    if (this.by === 'eventLoop' && this.attachment.ended === undefined)
      native.standBy(this.attachment.slot, this.attachment.useLoop());
  }

  /** There may be room, or an outcome. */
  wake(): void {
    this.watching = false;
    if (this.by === 'eventLoop' && this.pending.size > 0) this.serve();
    this.complete();
  }

  private waitSent(token: number, timeout: number): void {
    const { attachment } = this;
    const until = timeout < 0 ? Infinity : performance.now() + timeout;
    for (;;) {
      const left = Math.min(WAIT_SLICE_MS, Math.ceil(until - performance.now()));
      const result = native.waitSent(attachment.slot, token, Math.max(0, left));
      if (result === 0) return;
      if (result < 0) {
        native.cancelSend(attachment.slot, token); // where the wait failed, and not the send
        throw attachment.failure(-result, 'Cannot send');
      }
      if (left <= 0 && native.cancelSend(attachment.slot, token))
        throw new TimeoutError('sendSync', timeout / 1000);
    }
  }

  private sendError(errno: number, what: string, timeout: number): ZmqError {
    if (errnoCode(errno) === 'EAGAIN') return new TimeoutError(what, Math.max(0, timeout) / 1000);
    return this.attachment.failure(errno, 'Cannot send');
  }

  private forget(token: number): void {
    this.pending.delete(token);
    this.attachment.unhold();
    // While nobody waits, the event loop calls nobody: whoever waits next has it watch anew.
    if (this.pending.size === 0) this.watching = false;
  }

  /** Settles the sends whose outcome is known. */
  complete(): void {
    const { attachment } = this;
    if (attachment.ended !== undefined || Atomics.load(attachment.control, CTL_OUTCOMES) === 0) return;
    const completions = native.takeCompletions(attachment.slot);
    for (let index = 0; index < completions.length; index += 2) {
      const token = completions[index]!;
      const errno = completions[index + 1]!;
      if (token === 0) {
        attachment.receiver.failNext(errno);
        continue;
      }
      const pending = this.pending.get(token);
      if (pending === undefined) continue;
      this.forget(token);
      const settle =
        errno === 0
          ? () => pending.settle()
          : pending.fail.bind(pending, attachment.failure(errno, 'Cannot send'));
      // A send before it may be held up by a pause: they settle in order.
      const { pausing } = attachment.runtime;
      if (pausing === undefined) settle();
      else void pausing.then(settle);
    }
  }

  fail(error: ZmqError): void {
    for (const [token, pending] of [...this.pending]) {
      this.forget(token);
      pending.fail(error);
    }
  }
}
