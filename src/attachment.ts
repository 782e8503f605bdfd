/**
 * A socket as this thread sees it: its slot in the addon, its inbox, and what waits for it. Sender and Receiver do
 * the work; this class knows when the socket ends, and who must be told.
 */
import { capability, version } from './capability.js';
import type { Context } from './context.js';
import {
  ContextClosedError,
  errnoCode,
  notSupportedError,
  SocketClosedError,
  type ZmqError,
  zmqError,
} from './errors.js';
import { Inbox } from './inbox.js';
import { type IoRuntime, runtime, shared, type Wakeable } from './io-runtime.js';
import { CTL_OUTCOMES, CTL_STATE, STATE_OPEN, STATE_TERMINATED } from './layout.js';
import { native } from './native.js';
import { Receiver } from './receiver.js';
import { Sender } from './sender.js';
import type { SocketType } from './socket-types.js';

/** What an attachment is made with. */
export interface AttachmentSetup {
  readonly type: SocketType;
  readonly context: Context | undefined;
  readonly prefetch: number;
  readonly dedicatedWorker: boolean;
  /** The id of the socket to attach to; a new one is opened without it. */
  readonly attachTo?: number;
}

/** ZMQ_EVENTS bits. */
export const POLLIN = 1;
export const POLLOUT = 2;

const DEFAULT_MARK = 1000;
/** What "no limit" becomes, in messages. */
const NO_MARK = 0x7fffffff;

function lacksDraft(type: string): ZmqError {
  return notSupportedError(
    `${type} sockets need a libzmq that was built with its draft API; this one, ${version}, was not`,
  );
}

export class Attachment implements Wakeable {
  readonly runtime: IoRuntime = runtime();
  readonly slot: number;
  readonly id: number;
  readonly type: SocketType;
  readonly control: Int32Array;
  readonly inbox: Inbox;
  readonly sender: Sender;
  readonly receiver: Receiver;
  /** Frees the slot when the Socket object is collected; see {@link Lease}. */
  readonly lease: Lease;
  /** Whether other threads may have the socket, too. */
  isShared: boolean;
  /** Whether libzmq may read this thread's memory: only of a socket that this thread opened, which ends with it. */
  readonly lends: boolean;
  /** The Socket. While an operation waits the runtime holds this attachment, and so the Socket is not collected. */
  holder: object | undefined;
  /** Whether libzmq acts on the message that was received last, as an XPUB in manual mode does. */
  oneByOne = false;
  sendTimeout = -1;
  receiveTimeout = -1;
  private readonly watchers = new Set<Wakeable>();
  private readonly setup: AttachmentSetup;
  private loop = -1;
  private end: ZmqError | undefined;
  private waiting = 0;
  private keeping = true;

  constructor(setup: AttachmentSetup) {
    // libzmq itself would open some of them, and then lack the functions that go with them.
    if (setup.type.draft && !capability.draft) throw lacksDraft(setup.type.name);
    this.setup = setup;
    this.type = setup.type;
    this.isShared = setup.attachTo !== undefined;
    this.lends = setup.attachTo === undefined;
    const inboxOf = { adopt: (gift: Parameters<Inbox['adopt']>[0]): void => inbox.adopt(gift) };
    const { slot, control } = this.runtime.openSlot(inboxOf);
    const id =
      setup.attachTo === undefined
        ? native.socketOpen(setup.context!.slot, setup.type.id, slot, control)
        : native.socketAttach(setup.attachTo, 0, slot, control);
    if (id < 0) {
      this.runtime.closeSlot(slot);
      if (errnoCode(-id) === 'EINVAL') {
        throw zmqError(
          -id,
          `Cannot create a ${setup.type.name} socket`,
          setup.type.draft
            ? 'the draft functions of this libzmq were not found where it is loaded'
            : 'this libzmq does not have the type',
        );
      }
      throw zmqError(-id, `Cannot create a ${setup.type.name} socket`);
    }
    const inbox = new Inbox(slot, control, this.runtime.ports, this.runtime.deliver);
    this.slot = slot;
    this.control = control;
    this.id = id;
    this.inbox = inbox;
    this.lease = new Lease(slot, this.runtime, inbox);
    this.sender = new Sender(this);
    this.receiver = new Receiver(this);
    this.limit(DEFAULT_MARK);
  }

  /** Sets how much may wait in the inbox. @param mark the receive high-water mark, 0 for none */
  limit(mark: number): void {
    native.setLimits(this.slot, this.setup.prefetch, mark === 0 ? NO_MARK : mark);
  }

  get closed(): boolean {
    if (this.end === undefined) {
      const end = this.findEnd();
      if (end !== undefined) this.finish(end);
    }
    return this.end !== undefined;
  }

  /** Why nothing works any more; undefined while it does. */
  get ended(): ZmqError | undefined {
    return this.end;
  }

  /** The loop that serves this socket, -1 while none does. */
  get assignedLoop(): number {
    return this.loop;
  }

  /** Has an I/O worker serve this socket from now on. */
  useLoop(): number {
    if (this.loop < 0) {
      const { context, dedicatedWorker } = this.setup;
      const own = context?.ioWorkers;
      if (dedicatedWorker) this.loop = this.runtime.loopFor(this.lease, 1);
      else if (context !== undefined && own !== undefined) this.loop = this.runtime.loopFor(context, own);
      else this.loop = this.runtime.loopFor(shared, 1);
    }
    return this.loop;
  }

  /** Whether this thread's own event loop may wait for messages, instead of an I/O worker. */
  get watchesItself(): boolean {
    const { context, dedicatedWorker } = this.setup;
    if (this.sender.waitsForPeer) return false;
    return !dedicatedWorker && context?.ioWorkers === undefined && this.runtime.watchesSockets;
  }

  /** An operation begins to wait: the doorbell calls, and the process stays. */
  hold(): void {
    this.waiting += 1;
    if (this.waiting === 1) this.runtime.listen(this.slot, this);
    if (this.keeping) this.runtime.hold();
  }

  unhold(): void {
    this.waiting -= 1;
    if (this.waiting === 0) this.runtime.ignore(this.slot);
    if (this.keeping) this.runtime.release();
  }

  /** Whether the process stays for operations that wait; it does unless told. */
  keepProcess(keep: boolean): void {
    if (keep === this.keeping) return;
    this.keeping = keep;
    for (let count = 0; count < this.waiting; count += 1) {
      if (keep) this.runtime.hold();
      else this.runtime.release();
    }
  }

  /** Whether the addon has something to say that is not a message: an outcome, or that the socket ended. */
  get hasNews(): boolean {
    return (
      Atomics.load(this.control, CTL_STATE) !== STATE_OPEN || Atomics.load(this.control, CTL_OUTCOMES) !== 0
    );
  }

  wake(): void {
    this.sender.wake();
    this.receiver.deliver();
    if (this.end === undefined && Atomics.load(this.control, CTL_STATE) !== STATE_OPEN)
      this.finish(this.findEnd()!);
    for (const watcher of [...this.watchers]) watcher.wake();
  }

  /** `who` wants to know when the inbox fills or the socket ends. */
  watch(who: Wakeable): void {
    if (this.watchers.has(who)) return;
    this.watchers.add(who);
    this.hold();
    this.receiver.yieldToWatchers();
  }

  unwatch(who: Wakeable): void {
    if (this.watchers.delete(who)) this.unhold();
  }

  get watched(): boolean {
    return this.watchers.size > 0;
  }

  /** The error for a failed native call. Notices when the reason is that the socket is gone. */
  failure(errno: number, what: string, address?: string): ZmqError {
    const code = errnoCode(errno);
    if (code === 'ENOTSOCK') return this.end ?? this.finish(this.findEnd() ?? new SocketClosedError());
    if (code === 'ETERM') return this.finish(new ContextClosedError());
    if (code === 'EBUSY') return zmqError(errno, what, 'a proxy has the socket');
    if (code === 'EMSGSIZE' && this.type.draft) {
      return zmqError(errno, what, 'a datagram of libzmq has 8192 bytes at most, and its group 127');
    }
    return zmqError(errno, what, undefined, address);
  }

  /** ZMQ_EVENTS, without what is not true for this side any more. @throws when the socket is closed */
  events(): number {
    if (this.end !== undefined) return 0;
    const events = native.socketEvents(this.slot);
    if (events >= 0) return events;
    const error = this.failure(-events, 'Cannot wait for the socket');
    if (this.end !== undefined) return 0;
    throw error;
  }

  /** As `events`; none while a proxy has the socket. */
  eventsIfFree(): number {
    try {
      return this.events();
    } catch (error) {
      if ((error as ZmqError).code === 'EBUSY') return 0;
      throw error;
    }
  }

  /** @param linger in milliseconds; the option's value without it */
  close(linger: number | undefined, error: ZmqError = new SocketClosedError()): void {
    if (this.end !== undefined) return;
    const closed = native.socketClose(this.slot, linger ?? -2);
    this.finish((closed ? undefined : this.findEnd()) ?? error);
  }

  private findEnd(): ZmqError | undefined {
    const state = Atomics.load(this.control, CTL_STATE) || native.socketState(this.slot);
    if (state === STATE_OPEN) return undefined;
    return state === STATE_TERMINATED ? new ContextClosedError() : new SocketClosedError();
  }

  /** Ends this attachment once: all that waits is rejected, and the slot is given back. */
  private finish(error: ZmqError): ZmqError {
    if (this.end !== undefined) return this.end;
    this.sender.complete(); // what was sent was sent
    if (this.end !== undefined) return this.end;
    this.end = error;
    this.sender.fail(error);
    this.receiver.fail(error);
    for (const watcher of [...this.watchers]) watcher.wake();
    this.lease.end();
    return error;
  }
}

/** A slot in use. It knows nothing of the Socket, so that it can outlive it. */
export class Lease {
  private ended = false;

  constructor(
    private readonly slot: number,
    private readonly owner: IoRuntime,
    private readonly inbox: Inbox,
  ) {}

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.inbox.end();
    native.socketRelease(this.slot);
    this.owner.closeSlot(this.slot);
    this.owner.closeGroup(this); // where the socket had a worker of its own
  }
}
