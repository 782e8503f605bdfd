/**
 * What one JavaScript thread shares among its sockets and pollers: I/O workers, the doorbell and who waits for it.
 *
 * 1. There is one runtime per thread, made when first needed. It owns the I/O workers that it starts.
 * 2. The doorbell: BELL_SLEEPING is set here before BELL_READY is looked at; a ringing loop does it the other way
 *    round, so one of the two notices. `Atomics.waitAsync` waits on BELL_SEQUENCE; the loop's JavaScript notifies.
 * 3. A pending wait does not keep the event loop alive. `hold()` does; `release()` gives it back.
 * 4. The event loop itself watches sockets for whose messages this thread waits, as long as its turns are short.
 */

import { writeSync } from 'node:fs';
import { isMainThread, MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { IoWorkerData } from '../workers/io-worker.js';
import { IO_WORKER } from './entry-files.js';
import { ZmqError, zmqError } from './errors.js';
import type { ChunkGift } from './inbox.js';
import {
  BELL_READY,
  BELL_SEQUENCE,
  BELL_SLEEPING,
  BELL_WORDS,
  CTL_WORDS,
  FREED_TOKEN,
  POLLER_TOKEN,
  TURN_WORDS,
  TURNS_LONG,
  TURNS_OWN,
} from './layout.js';
import { collectFreed, connectFreed } from './message.js';
import { native } from './native.js';

/** Somebody whom the doorbell can call. */
export interface Wakeable {
  /** Something may have happened. */
  wake(): void;
}

/** A socket's receiving end, as the runtime knows it. */
export interface ChunkReceiver {
  adopt(gift: ChunkGift): void;
}

/** For whom this thread's event loop watches a socket, for messages or for room. */
export interface EventLoopWaiter {
  /** Has an I/O worker do it when the event loop does not come to it, if that still watches. */
  standBy(): void;
}

interface IoWorker {
  readonly loop: number;
  readonly worker: Worker;
  /** Where the chunks that it makes arrive. */
  readonly port: MessagePort;
  users: number;
}

const SLOTS_PER_SLAB = 64;
const TOKENS_AT_ONCE = 256;
/** Microtasks may go on for this long before the event loop gets a turn, in milliseconds. */
const TURN_MS = 8;
/**
 * A thread that just begins to wait has no I/O worker stand by, in milliseconds: to start one takes some 80 ms of CPU, and
 * short programs are over by then.
 */
const STAND_BY_MS = 1000;
/** What sockets that would linger for ever are granted when the process ends, in milliseconds. */
const EXIT_GRACE_MS = 1000;
/** How long an event loop that is busy with other things passes for busy, in milliseconds. */
const CALM_MS = 100;
/** It is when long turns for other things take more than this part of its time: collecting garbage takes less. */
const BUSY_PART = 0.2;
/** By so much; more than a single turn counts for. */
const BUSY_MICROSECONDS = 10_000;
/** In TURNS_OWN: all of the turn went into messages. */
const ALL_OWN = 0xffffffff;

class IoRuntime {
  readonly ports: MessagePort[] = [];
  private readonly bell = new Int32Array(new SharedArrayBuffer(BELL_WORDS * 4));
  private readonly tokens = new Uint32Array(TOKENS_AT_ONCE);
  private readonly wakeables = new Map<number, Wakeable>();
  private readonly receivers = new Map<number, ChunkReceiver>();
  private readonly pools = new Map<object, IoWorker[]>();
  private readonly slabs: Int32Array[] = [];
  private readonly freeSlots: number[] = [];
  private readonly freePollers: number[] = [];
  private slots = 0;
  private pollers = 0;
  private loops = 0;
  private holds = 0;
  private readonly turns = new Uint32Array(new SharedArrayBuffer(TURN_WORDS * 4));
  /** TURNS_LONG as it was last seen, and when. */
  private longSeen = 0;
  private longAt = 0;
  /** Microseconds of long turns, less a part of the time that has passed. */
  private longLately = 0;
  private busyUntil = 0;
  private readonly watches: boolean;
  /** Whether {@link STAND_BY_MS} have not passed yet, and who waits for that. */
  private beginning = true;
  private readonly early = new Set<EventLoopWaiter>();
  private armed = false;
  private turnAt = performance.now();
  /** From when on this turn's time has not been counted yet. */
  private ownSince = this.turnAt;
  private turn: Promise<void> | undefined;

  constructor() {
    native.bellCreate(this.bell);
    this.watches = native.eventLoopOpen(this.signalled, this.turns);
    const collector: Wakeable = {
      wake: () => {
        native.wishFreed(this.sharedLoop());
        collectFreed();
      },
    };
    connectFreed({
      ask: () => native.wishFreed(this.sharedLoop()),
      waiting: (waiting) => {
        if (waiting) {
          this.hold();
          this.listen(FREED_TOKEN, collector);
        } else {
          this.ignore(FREED_TOKEN);
          this.release();
        }
      },
    });
  }

  /** A slot for a socket, and its control block. */
  openSlot(receiver: ChunkReceiver): { slot: number; control: Int32Array } {
    const slot = this.freeSlots.pop() ?? this.slots++;
    const slab = Math.floor(slot / SLOTS_PER_SLAB);
    this.slabs[slab] ??= new Int32Array(new SharedArrayBuffer(SLOTS_PER_SLAB * CTL_WORDS * 4));
    const offset = (slot % SLOTS_PER_SLAB) * CTL_WORDS * 4;
    const control = new Int32Array(this.slabs[slab].buffer, offset, CTL_WORDS);
    control.fill(0);
    this.receivers.set(slot, receiver);
    return { slot, control };
  }

  closeSlot(slot: number): void {
    this.receivers.delete(slot);
    this.wakeables.delete(slot);
    this.freeSlots.push(slot);
  }

  openPoller(): number {
    return this.freePollers.pop() ?? this.pollers++;
  }

  closePoller(slot: number): void {
    this.wakeables.delete(POLLER_TOKEN + slot);
    this.freePollers.push(slot);
  }

  readonly deliver = (gift: ChunkGift): void => {
    this.receivers.get(gift.slot)?.adopt(gift);
  };

  /**
   * The loop of an I/O worker.
   *
   * @param group what shares workers: a context, or a socket that wants one of its own
   * @param most how many workers the group may have
   * @throws {@link ZmqError} if none can be started: `'EMFILE'`
   */
  loopFor(group: object, most: number): number {
    const pool = this.pools.get(group) ?? [];
    if (pool.length < most) pool.push(this.startWorker());
    this.pools.set(group, pool);
    const chosen = pool.reduce((least, worker) => (worker.users < least.users ? worker : least));
    chosen.users += 1;
    return chosen.loop;
  }

  /**
   * The loop that pollers and freed memory use: always one of the shared worker's, since the workers of a context or
   * socket end with it.
   */
  sharedLoop(): number {
    const pool = this.pools.get(shared) ?? [this.startWorker()];
    this.pools.set(shared, pool);
    return pool[0]!.loop;
  }

  /** Posts to the I/O worker of a loop. */
  postTo(loop: number, message: unknown, transfer: readonly MessagePort[]): void {
    for (const pool of this.pools.values()) {
      for (const worker of pool) {
        if (worker.loop === loop) worker.port.postMessage(message, transfer);
      }
    }
  }

  /** Ends the workers of a group that nobody uses any more. */
  closeGroup(group: object): void {
    const pool = this.pools.get(group);
    if (pool === undefined) return;
    this.pools.delete(group);
    for (const worker of pool) {
      native.loopStop(worker.loop);
      this.ports.splice(this.ports.indexOf(worker.port), 1);
      worker.port.close();
    }
  }

  /** This thread is about to end: its I/O workers need not be waited for. */
  stop(): void {
    for (const pool of this.pools.values()) {
      for (const { loop } of pool) native.loopStop(loop);
    }
    this.pools.clear();
  }

  private startWorker(): IoWorker {
    const loop = this.loops;
    const loopId = native.loopCreate(loop);
    if (loopId < 0) throw zmqError(-loopId, 'Cannot start an I/O worker');
    this.loops += 1;
    const channel = new MessageChannel();
    const port = channel.port2;
    channel.port1.unref();
    this.ports.push(channel.port1);
    const worker = new Worker(IO_WORKER, {
      workerData: { loopId, bell: this.bell, port } satisfies IoWorkerData,
      transferList: [port],
      name: 'zeromq-threads I/O',
      execArgv: [],
      stdin: false,
    });
    worker.unref();
    worker.once('error', (error) => {
      // Nothing in the worker is expected to throw: this is a defect, and silence would be a hang.
      throw error;
    });
    return { loop, worker, port: channel.port1, users: 0 };
  }

  /** Keeps the event loop alive until `release` was called as often. */
  hold(): void {
    this.holds += 1;
    if (this.holds === 1) native.eventLoopKeep(true);
  }

  release(): void {
    this.holds -= 1;
    if (this.holds === 0) native.eventLoopKeep(false);
  }

  /**
   * Whether this thread's event loop had better watch a socket by itself: that costs no other thread, but leaves
   * messages where they are while the event loop is busy.
   */
  get watchesSockets(): boolean {
    if (!this.watches) return false;
    const long = this.turns[TURNS_LONG]!;
    if (long === this.longSeen && this.busyUntil === 0) return true;
    const now = performance.now();
    if (long !== this.longSeen) {
      // What comes in is long turns, what goes out is a part of the time: it fills when they take more than that.
      const gone = (now - this.longAt) * 1000 * BUSY_PART;
      this.longLately = Math.max(0, this.longLately - gone) + ((long - this.longSeen) >>> 0);
      this.longSeen = long;
      this.longAt = now;
      if (this.longLately > BUSY_MICROSECONDS) this.busyUntil = now + CALM_MS;
    }
    if (now < this.busyUntil) return false;
    this.busyUntil = 0;
    return true;
  }

  /** The messages that this turn of the event loop was for are dealt with: what it took so far was for them. */
  worked(): void {
    const now = performance.now();
    const own = this.turns[TURNS_OWN]! + (now - this.ownSince) * 1000;
    this.turns[TURNS_OWN] = Math.min(own, ALL_OWN); // a turn that a pause is in stays all of it
    this.ownSince = now;
  }

  /** This turn of the event loop is for messages. */
  private begin(): void {
    this.turnAt = performance.now();
    this.ownSince = this.turnAt;
  }

  /** This thread's event loop watches a socket for `who`: an I/O worker stands by, soon if none runs yet. */
  standBy(who: EventLoopWaiter): void {
    if (!this.beginning || this.standsBy) {
      standBy(who);
      return;
    }
    this.early.add(who);
    if (this.early.size > 1) return;
    setTimeout(() => {
      this.beginning = false;
      for (const each of this.early) standBy(each);
      this.early.clear();
    }, STAND_BY_MS).unref();
  }

  /** Whether an I/O worker runs that can stand by. */
  get standsBy(): boolean {
    return this.loops > 0;
  }

  /** A socket that this thread's event loop watches has something. */
  private readonly signalled = (slot: number): void => {
    this.begin();
    this.call(slot);
  };

  /** From now on the doorbell calls `who` under this token; until `ignore`. */
  listen(token: number, who: Wakeable): void {
    this.wakeables.set(token, who);
    if (!this.armed) this.arm();
  }

  ignore(token: number): void {
    this.wakeables.delete(token);
  }

  private arm(): void {
    const { bell } = this;
    for (;;) {
      const sequence = Atomics.load(bell, BELL_SEQUENCE);
      Atomics.store(bell, BELL_SLEEPING, 1);
      if (Atomics.load(bell, BELL_READY) !== 0) {
        Atomics.store(bell, BELL_SLEEPING, 0);
        this.armed = true; // while the list is worked off
        this.answer();
        this.armed = false;
        if (this.wakeables.size === 0) return;
        continue;
      }
      const waiting = Atomics.waitAsync(bell, BELL_SEQUENCE, sequence);
      if (!waiting.async) continue;
      this.armed = true;
      void waiting.value.then(this.rung);
      return;
    }
  }

  private readonly rung = (): void => {
    this.begin();
    this.answer();
    this.armed = false;
    if (this.wakeables.size > 0) this.arm();
  };

  private answer(): void {
    const { tokens } = this;
    for (;;) {
      const count = native.bellDrain(tokens);
      for (let index = 0; index < count; index += 1) {
        this.call(tokens[index]!);
      }
      if (count < tokens.length) return;
    }
  }

  private call(token: number): void {
    try {
      this.wakeables.get(token)?.wake();
    } catch (error) {
      // A defect; it must not keep the others from being called.
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  /** The pause that is on, if any. */
  get pausing(): Promise<void> | undefined {
    return this.turn;
  }

  /**
   * For loops of microtasks that never wait: undefined, or, when the event loop has not turned for a while, a
   * promise to await.
   */
  pause(): Promise<void> | undefined {
    if (this.turn !== undefined) return this.turn;
    if (performance.now() - this.turnAt < TURN_MS) return undefined;
    this.turns[TURNS_OWN] = ALL_OWN;
    this.turn = new Promise((resolve) => {
      setImmediate(() => {
        this.turn = undefined;
        this.begin();
        resolve();
      });
    });
    return this.turn;
  }
}

/** Has an I/O worker stand by, if one is to be had. Nobody waits for it: the event loop does without, if need be. */
function standBy(who: EventLoopWaiter): void {
  try {
    who.standBy();
  } catch (error) {
    if (!(error instanceof ZmqError)) throw error;
  }
}

/** The group of sockets that share the default workers. */
export const shared: object = {};

let instance: IoRuntime | undefined;

export function runtime(): IoRuntime {
  instance ??= new IoRuntime();
  return instance;
}
export type { IoRuntime };

process.on('exit', () => {
  if (!isMainThread) {
    instance?.stop();
    native.interruptAll();
    return;
  }
  if (native.flushAtExit(EXIT_GRACE_MS)) return;
  writeSync(
    2,
    `zeromq-threads: messages were still unsent ${EXIT_GRACE_MS} ms after exit began and are lost; ` +
      "set the sockets' linger, or await context.close(), to give them more time\n",
  );
});
