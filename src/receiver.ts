/**
 * Receiving: takes messages from the inbox, and has somebody put some in.
 *
 * 1. Waiting receives are served in order, one message (or frame) each.
 * 2. Store-flag, re-check: CTL_WAITING is set before the inbox is looked at once more; the I/O loop publishes before
 *    it exchanges the flag.
 * 3. Blocking and non-blocking receives run in this thread: it becomes the producer of its own inbox for a moment. So
 *    it does before it waits, while its event loop has time for that ("eventLoop" below): then no other thread has to
 *    be woken. A busy thread has an I/O worker receive, which goes on whatever this thread does ("ioWorker").
 */
import type { Attachment } from './attachment.js';
import type { Batch } from './batch.js';
import { errnoCode, TimeoutError, ZmqError } from './errors.js';
import type { EventLoopWaiter } from './io-runtime.js';
import {
  BURST,
  CTL_DEMAND,
  CTL_WAITING,
  PUMP_ELSEWHERE,
  PUMP_EMPTY,
  PUMP_ERROR,
  PUMP_NEED_CHUNK,
  WAIT_SLICE_MS,
} from './layout.js';
import type { Message } from './message.js';
import { native } from './native.js';
import { type Deadline, deadlineOf, type Outcome, Pending, type WaitOptions } from './pending.js';
import { type Kind, Received } from './received.js';

type Waiting = Pending<never, Kind>;

const MESSAGES_PER_CHECK = 64;
/** What is received under one lock by a thread that would wait otherwise, in messages. */
const MOST_AT_ONCE = 256;

const pumped = new Uint32Array(3);

export class Receiver implements EventLoopWaiter {
  private readonly queue: Waiting[] = [];
  private by: 'nobody' | 'eventLoop' | 'ioWorker' = 'nobody';
  /** Whether the event loop will call, as far as we know. */
  private watching = false;
  /** How much the event loop receives at once: little after a wait, since the next message is not there yet mostly. */
  private atOnce = 1;
  private taken = 0;

  private readonly received: Received;

  constructor(private readonly attachment: Attachment) {
    this.received = new Received(attachment.inbox);
  }

  /** Whether a receive would not wait, as far as the inbox knows. */
  get hasSome(): boolean {
    return this.received.hasSome;
  }

  recv(options?: WaitOptions): Promise<Message> {
    if (options === undefined && this.queue.length === 0 && this.hasSome)
      return this.pace(this.received.takeFrame());
    return this.ask<Message>('frame', 'recv', options);
  }

  /** As `recv`, for what `outcome` makes of the frame. */
  recvAs(outcome: Outcome<Message>, options?: WaitOptions): Promise<unknown> {
    return this.ask<Message>('frame', 'recv', options, outcome);
  }

  recvMultipart(options?: WaitOptions, what = 'recvMultipart'): Promise<Message[]> {
    if (options === undefined && this.queue.length === 0 && this.hasSome)
      return this.pace(this.received.takeMessage());
    return this.ask<Message[]>('message', what, options);
  }

  /** The next message of a loop. */
  nextMessage(outcome: Outcome<Message[]>): Promise<unknown> {
    return this.ask<Message[]>('message', 'for await', undefined, outcome);
  }

  /** A message that is here and that nobody waits for, unless it is time for the event loop to turn. */
  takeNow(): Message[] | undefined {
    if (this.queue.length > 0 || !this.hasSome || this.attachment.ended !== undefined) return undefined;
    // While there is a pause, receives before this one are not settled.
    if (this.taken >= MESSAGES_PER_CHECK || this.attachment.runtime.pausing !== undefined) return undefined;
    this.taken += 1;
    return this.received.takeMessage();
  }

  /** Why no proxy can have the socket now; undefined when one can. */
  get obstacle(): string | undefined {
    if (this.queue.length > 0) return 'a receive is waiting on the socket';
    return this.received.isHalfTaken ? 'a message of the socket is half received' : undefined;
  }

  /** Nothing is received ahead any more. */
  stopAhead(): void {
    this.deactivate();
  }

  /** What was received ahead. */
  takeAhead(): Message[][] {
    return this.received.takeAll();
  }

  tryRecv(): Message | undefined {
    return this.tryTake('frame') as Message | undefined;
  }

  tryRecvMultipart(): Message[] | undefined {
    return this.tryTake('message') as Message[] | undefined;
  }

  recvSync(options?: WaitOptions): Message {
    return this.waitTake('frame', 'recvSync', options) as Message;
  }

  recvMultipartSync(options?: WaitOptions): Message[] {
    return this.waitTake('message', 'recvMultipartSync', options) as Message[];
  }

  /** Everything that is ready, without an object for each message; waits until something is. */
  nextBatch(max: number, outcome: Outcome<Batch>): Promise<unknown> {
    // It may be many messages.
    if (this.queue.length === 0 && this.hasSome) this.attachment.runtime.pause();
    this.atOnce = MOST_AT_ONCE;
    return this.ask<Batch>({ max }, 'batches', undefined, outcome);
  }

  /** A resolved promise; now and then one that lets the event loop turn first, and what comes after it with it. */
  private pace<Value>(value: Value, outcome?: Outcome<Value>): Promise<Value> {
    const { runtime } = this.attachment;
    this.taken += 1;
    if (this.taken >= MESSAGES_PER_CHECK) {
      this.taken = 0;
      runtime.pause();
    }
    const { pausing } = runtime;
    if (outcome === undefined)
      return pausing === undefined ? Promise.resolve(value) : pausing.then(() => value);
    if (pausing !== undefined) return pausing.then(() => outcome.of(value)) as Promise<Value>;
    return Promise.resolve(outcome.of(value) as Value);
  }

  /** Not async: every promise in between would let a later receive settle earlier. */
  private ask<Value>(
    kind: Kind,
    what: string,
    options: WaitOptions | undefined,
    outcome?: Outcome<Value>,
  ): Promise<Value> {
    try {
      const { attachment } = this;
      const deadline = deadlineOf(options, attachment.receiveTimeout);
      if (deadline.signal?.aborted) throw deadline.signal.reason;
      if (this.queue.length === 0 && this.ready(deadline.timeout !== 0))
        return this.pace(this.received.take(kind) as Value, outcome);
      if (attachment.ended !== undefined) throw attachment.ended;
      if (deadline.timeout === 0) throw new TimeoutError(what, 0);
      return this.wait<Value>(kind, what, deadline, outcome);
    } catch (error) {
      return this.failed(error, outcome);
    }
  }

  private async failed<Value>(error: unknown, outcome: Outcome<Value> | undefined): Promise<Value> {
    if (outcome?.ofFailure === undefined) throw error;
    return outcome.ofFailure(error) as Value;
  }

  private wait<Value>(
    kind: Kind,
    what: string,
    deadline: Deadline,
    outcome: Outcome<Value> | undefined,
  ): Promise<Value> {
    const pending: Waiting = new Pending(kind, outcome as Outcome<never> | undefined);
    const withdraw = (): boolean => {
      const index = this.queue.indexOf(pending);
      if (index < 0) return false;
      this.queue.splice(index, 1);
      this.waited();
      return true;
    };
    pending.limit(deadline, what, withdraw, () => this.lookAgain());
    this.queue.push(pending);
    this.attachment.runtime.worked();
    this.attachment.hold();
    this.declare();
    return pending.promise as Promise<Value>;
  }

  /** Whoever asked with this outcome wants no more: its receives that wait end as failed, for no reason. */
  withdraw(outcome: object): void {
    for (;;) {
      const index = this.queue.findIndex((waiting) => waiting.outcome === outcome);
      if (index < 0) return;
      const [pending] = this.queue.splice(index, 1);
      this.waited();
      pending!.fail(undefined);
    }
  }

  /** One receive less is waiting. */
  private waited(): void {
    Atomics.store(this.attachment.control, CTL_DEMAND, this.queue.length);
    this.attachment.unhold();
  }

  /**
   * Whether something is there, asking libzmq itself where no I/O worker does.
   *
   * @param watch whether the event loop is to watch when nothing is
   */
  private ready(watch: boolean): boolean {
    if (this.hasSome) return true;
    const { attachment } = this;
    if (attachment.ended !== undefined) return false;
    if (watch) {
      const itself = attachment.watchesItself;
      // A watch of before may have been used up by a receive that was cancelled: begin anew.
      if (this.by === (itself ? 'ioWorker' : 'eventLoop')) this.deactivate();
      if (itself) return this.lookOrWatch(false);
    }
    if (this.by === 'ioWorker' && !this.limited) return false;
    this.pump(0);
    return this.hasSome;
  }

  /**
   * Receives in this thread; when nothing is there the event loop watches, or else an I/O worker has to receive.
   *
   * @param waits whether a receive waits already
   * @returns whether something is there
   * @throws what libzmq reports, EFSM for instance
   */
  private lookOrWatch(waits: boolean): boolean {
    const { attachment } = this;
    const { slot, inbox } = attachment;
    for (;;) {
      inbox.report();
      const code = native.pumpOrWatch(slot, this.most(this.atOnce), waits ? 1 : 0, pumped);
      this.watching = code === PUMP_EMPTY && pumped[0] === 0;
      this.atOnce = this.watching ? 1 : Math.min(4 * this.atOnce, MOST_AT_ONCE);
      if (code === PUMP_ELSEWHERE) {
        if (inbox.available() > 0) return true;
        if (this.by === 'eventLoop') this.by = 'nobody';
        return false;
      }
      if (this.watching && this.by !== 'eventLoop') {
        this.by = 'eventLoop';
        attachment.runtime.standBy(this);
      }
      if (inbox.available() > 0) return true;
      if (code === PUMP_NEED_CHUNK) inbox.addChunk(pumped[2]!);
      else if (code === PUMP_ERROR) throw attachment.failure(pumped[1]!, 'Cannot receive');
      else if (code === PUMP_EMPTY) return false;
    }
  }

  standBy(): void {
    if (this.by !== 'eventLoop' || this.attachment.ended !== undefined) return;
    native.standBy(this.attachment.slot, this.attachment.useLoop());
  }

  /** How many messages to receive at once: none may lie here that somebody else looks for in libzmq. */
  private most(most: number): number {
    return this.limited || this.attachment.watched ? 1 : most;
  }

  /** Whether only what somebody waits for is received. */
  private get limited(): boolean {
    const { type, isShared, oneByOne } = this.attachment;
    return isShared || oneByOne || type.name === 'REQ' || type.name === 'REP';
  }

  /** Declares that somebody waits, and looks once more. */
  private declare(): void {
    const { attachment } = this;
    const { control } = attachment;
    Atomics.store(control, CTL_DEMAND, this.queue.length);
    if (this.watching) return;
    if (this.by === 'eventLoop') {
      this.deliverHere();
      return;
    }
    Atomics.store(control, CTL_WAITING, 1);
    attachment.inbox.report();
    if (this.by !== 'ioWorker') {
      try {
        this.activate();
      } catch (error) {
        // No I/O worker is to be had, and nobody else would receive.
        if (!(error instanceof ZmqError)) throw error;
        while (this.queue.length > 0) this.failFirst(error);
        return;
      }
    } else if (this.limited) native.ensureWatched(attachment.slot);
    // The last word of a socket may have come while nobody listened.
    if (attachment.hasNews) attachment.wake();
    else if (attachment.inbox.available() > 0) this.deliver();
  }

  private activate(): void {
    const loop = this.attachment.useLoop();
    this.by = 'ioWorker';
    this.watching = false;
    native.setActive(this.attachment.slot, true, loop);
  }

  private deactivate(): void {
    if (this.by === 'nobody') return;
    this.by = 'nobody';
    this.watching = false;
    native.setActive(this.attachment.slot, false, -1);
  }

  /**
   * Has an I/O worker receive although nobody asks: until all has been received that a peer sent, libzmq does not see
   * that the peer is gone, and sends to it wait. (Not where that would take messages from other threads.)
   */
  receiveAhead(): void {
    if (this.by === 'ioWorker' || this.limited) return;
    this.deactivate();
    if (this.queue.length > 0) this.declare();
    else this.activate();
  }

  /** A poller wants to see what is readable, so messages stay with libzmq unless somebody waits for them. */
  yieldToWatchers(): void {
    if (this.queue.length === 0) this.deactivate();
    else if (this.by !== 'eventLoop') Atomics.store(this.attachment.control, CTL_WAITING, 1);
  }

  /** Gives waiting receives what has come. */
  deliver(): void {
    const { attachment } = this;
    if (this.by === 'eventLoop') {
      this.deliverHere();
      return;
    }
    this.serveQueue();
    if (attachment.ended !== undefined || (this.queue.length === 0 && !attachment.watched)) return;
    if (this.queue.length === 0) {
      this.deactivate();
      return;
    }
    Atomics.store(attachment.control, CTL_WAITING, 1);
    attachment.inbox.report();
    if (this.limited) native.ensureWatched(attachment.slot);
    if (attachment.inbox.available() > 0) this.deliver();
  }

  /** As `deliver`, where no I/O worker receives. */
  private deliverHere(): void {
    this.watching = false;
    this.serveQueue();
    while (this.queue.length > 0) {
      // Who waits for a batch wants everything that is there.
      if (typeof this.queue[0]!.kind === 'object') this.atOnce = MOST_AT_ONCE;
      try {
        if (!this.lookOrWatch(true)) break;
      } catch (error) {
        if (!(error instanceof ZmqError)) throw error;
        this.failFirst(error);
        continue;
      }
      this.serveQueue();
    }
    if (this.queue.length > 0 && !this.watching) this.declare();
  }

  /** The time of a receive is over: what it waits for may have come while this thread was busy. */
  private lookAgain(): void {
    if (this.by === 'eventLoop') this.deliverHere();
    else this.serveQueue();
  }

  /**
   * Receives in this thread.
   *
   * @param ms how long to block
   * @throws what libzmq reports, EFSM for instance
   */
  private pump(ms: number): void {
    const { attachment } = this;
    const { slot, inbox } = attachment;
    const most = this.most(BURST);
    for (;;) {
      inbox.report();
      const code = ms > 0 ? native.waitReceive(slot, most, ms, pumped) : native.pump(slot, most, pumped);
      if (inbox.available() > 0) return;
      if (code === PUMP_NEED_CHUNK) {
        inbox.addChunk(pumped[2]!);
        continue;
      }
      if (code === PUMP_ERROR) throw attachment.failure(pumped[1]!, 'Cannot receive');
      return;
    }
  }

  private tryTake(kind: Kind): unknown {
    const { attachment } = this;
    if (attachment.ended !== undefined) throw attachment.ended;
    if (this.queue.length > 0) {
      this.deliver();
      if (this.queue.length > 0) return undefined;
    }
    if (!this.hasSome) this.pump(0);
    return this.hasSome ? this.received.take(kind) : undefined;
  }

  private waitTake(kind: Kind, what: string, options: WaitOptions | undefined): unknown {
    const { attachment } = this;
    const { timeout, signal } = deadlineOf(options, attachment.receiveTimeout);
    if (attachment.ended !== undefined) throw attachment.ended;
    if (signal?.aborted) throw signal.reason;
    this.deactivate();
    try {
      const until = timeout < 0 ? Infinity : performance.now() + timeout;
      for (;;) {
        if (this.queue.length > 0) this.serveQueue();
        if (this.queue.length === 0 && this.hasSome) return this.received.take(kind);
        const left = Math.min(WAIT_SLICE_MS, Math.ceil(until - performance.now()));
        this.pump(Math.max(0, left));
        if (left <= 0 && !this.hasSome) throw new TimeoutError(what, timeout / 1000);
      }
    } finally {
      // Those who were waiting before wait on for the I/O worker.
      if (attachment.ended === undefined) {
        if (this.queue.length > 0) this.declare();
        else if (attachment.sender.waitsForPeer) this.receiveAhead();
      }
    }
  }

  /** Gives what is here to those who wait, in their order. */
  private serveQueue(): void {
    while (this.queue.length > 0 && this.hasSome) {
      const pending = this.queue[0]!;
      // Less is asked for before the taking is reported: in between, the I/O worker would receive one that nobody
      // here wants, and keep it from other threads.
      Atomics.store(this.attachment.control, CTL_DEMAND, this.queue.length - 1);
      const value = this.received.take(pending.kind);
      this.queue.shift();
      this.waited();
      // A receive before it may be held up by a pause: they settle in order.
      const { pausing } = this.attachment.runtime;
      if (pausing === undefined) pending.settle(value as never);
      else void pausing.then(() => pending.settle(value as never));
    }
  }

  /**
   * Gives those who wait what has come to libzmq, before anybody is told that there is something to receive. (What
   * goes wrong is left to the I/O worker to find.)
   */
  serveWaiting(): void {
    while (this.queue.length > 0) {
      if (!this.hasSome) this.tryPump();
      if (!this.hasSome) return;
      this.serveQueue();
    }
  }

  private tryPump(): void {
    try {
      this.pump(0);
    } catch (error) {
      if (!(error instanceof ZmqError)) throw error;
    }
  }

  /** libzmq could not receive: the receive that waits longest learns of it. */
  failNext(errno: number): void {
    if (this.by === 'ioWorker' && errnoCode(errno) === 'ENOMEM') this.by = 'nobody';
    if (this.queue.length === 0) return;
    this.failFirst(this.attachment.failure(errno, 'Cannot receive'));
    if (this.queue.length > 0) this.declare();
  }

  /** The receive that waits longest fails, if the socket's end has not had all fail. */
  private failFirst(error: ZmqError): void {
    const pending = this.queue.shift();
    if (pending === undefined) return;
    this.waited();
    pending.fail(error);
  }

  fail(error: ZmqError): void {
    this.received.dropRest();
    for (const pending of this.queue.splice(0)) {
      this.attachment.unhold();
      pending.fail(error);
    }
  }
}
