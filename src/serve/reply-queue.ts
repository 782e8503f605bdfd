/**
 * Replies on their way through a shared ROUTER socket. libzmq has a queue for each peer; where that is full, or the
 * peer is gone, the ROUTER says so (`mandatory`). A full one must not hold up replies to others, so such replies wait
 * here, in order for each peer, and for a limited time.
 *
 * A reply that waits is a request in flight, and once as many wait as may be in flight, nobody's requests are taken. So
 * it is the peer that has this time, not each of its replies: one that made no room in all of it is not waited for
 * again until it does.
 */

import { encodePart, type Sendable } from '../encode.js';
import { TimeoutError, ZmqError } from '../errors.js';
import { LONGEST_TIMER } from '../pending.js';
import { attachmentOf, type Socket } from '../socket.js';

interface Waiting {
  readonly parts: Sendable[];
  readonly until: number;
  readonly mayLeave: (may: boolean) => void;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A peer without room. */
interface FullPeer {
  readonly socket: Socket;
  /** What waits for it, in order. */
  readonly waiting: Waiting[];
  /** Since when it has had no room. */
  since: number;
  /** When a reply to it was last tried, or put behind others. */
  triedAt: number;
}

const FIRST_RETRY_MS = 1;
const LAST_RETRY_MS = 32;
/** So many peers without room are remembered while nothing waits for them. */
const MOST_FULL = 1024;
/** And for so many times their patience after the last reply to them: this is not told when one is gone. */
const REMEMBERED = 4;

export class ReplyQueue {
  /** In the order in which they were found so. */
  private readonly full = new Map<string, FullPeer>();
  /** How many replies wait, in all. */
  private count = 0;
  private timer: NodeJS.Timeout | undefined;
  private retryMs = FIRST_RETRY_MS;
  private forgetting: NodeJS.Timeout | undefined;

  /** @param patience how long a reply may wait for its peer, in milliseconds */
  constructor(readonly patience: number) {}

  /**
   * Sends a reply.
   *
   * @param parts with the routing id first
   * @param mayLeave told that it surely has not left, and before each attempt that it may have
   * @returns undefined when it is sent, otherwise a promise of that
   * @throws (or rejects) {@link TimeoutError} if the peer does not read, {@link ZmqError} with code `'EHOSTUNREACH'`
   *   if it is gone, {@link ArgumentError} for what cannot be sent
   */
  send(
    socket: Socket,
    parts: Sendable[],
    mayLeave: (may: boolean) => void = (): void => {},
  ): Promise<void> | undefined {
    // The names of peers are looked at only while there is one without room.
    if (this.idle) {
      if (attachmentOf(socket).sender.trySend(parts)) return undefined;
    } else {
      const peer = peerOf(socket, idOf(parts));
      const behind = (this.full.get(peer)?.waiting.length ?? 0) > 0;
      if (!behind && this.attempt(socket, peer, parts)) return undefined;
    }
    return this.wait(socket, parts, mayLeave);
  }

  /** Sends a reply that found no room, once there is some. As `send`. */
  wait(socket: Socket, parts: Sendable[], mayLeave: (may: boolean) => void): Promise<void> {
    // What cannot be sent is refused at once, not when its turn comes: then nobody would be answered. Copied, for the
    // handler may use its memory again.
    const encoded = parts.map((part, index) => Buffer.from(encodePart(part, index)));
    const now = performance.now();
    const full = this.noteFull(socket, peerOf(socket, idOf(parts)), now);
    if (this.isOverdue(full, now)) throw this.overdue();
    mayLeave(false);
    return new Promise<void>((resolve, reject) => {
      full.waiting.push({ parts: encoded, until: now + this.patience, mayLeave, resolve, reject });
      this.count += 1;
      if (this.timer === undefined) this.retryLater(FIRST_RETRY_MS);
    });
  }

  /**
   * Whether a reply to this peer need not wait for room, nor for others, as far as it is known.
   *
   * @param id the routing id, as latin1 has it
   */
  hasRoom(socket: Socket, id: string): boolean {
    return !this.full.has(peerOf(socket, id));
  }

  /** Only where nothing waits for the peer. @returns whether it is sent */
  private attempt(socket: Socket, peer: string, parts: Sendable[]): boolean {
    let full = false;
    try {
      full = !attachmentOf(socket).sender.trySend(parts);
      return !full;
    } finally {
      if (!full) this.full.delete(peer); // it has room, or is gone
    }
  }

  private noteFull(socket: Socket, peer: string, now: number): FullPeer {
    let full = this.full.get(peer);
    if (full === undefined) {
      full = { socket, waiting: [], since: now, triedAt: now };
      if (this.full.size >= MOST_FULL) this.forgetOldest();
      this.full.set(peer, full);
      this.forgetting ??= this.forgetLater();
    }
    full.triedAt = now;
    return full;
  }

  private forgetOldest(): void {
    for (const [peer, { waiting }] of this.full) {
      if (waiting.length > 0) continue; // replies to it stay in order
      this.full.delete(peer);
      return;
    }
  }

  private forgetLater(): NodeJS.Timeout {
    return setTimeout(this.forget, Math.min(LONGEST_TIMER, this.patience * REMEMBERED)).unref();
  }

  /** Those to whom nobody replies any more, gone or not: replies to others are simpler while there is none without room. */
  private readonly forget = (): void => {
    const before = performance.now() - this.patience * REMEMBERED;
    for (const [peer, { waiting, triedAt }] of this.full) {
      if (waiting.length === 0 && triedAt <= before) this.full.delete(peer);
    }
    this.forgetting = this.full.size === 0 ? undefined : this.forgetLater();
  };

  private isOverdue({ since }: FullPeer, now: number): boolean {
    return now - since >= this.patience;
  }

  private overdue(): TimeoutError {
    return new TimeoutError('The reply was not read and', this.patience / 1000);
  }

  private retryLater(milliseconds: number): void {
    this.retryMs = milliseconds;
    this.timer = setTimeout(this.retry, milliseconds);
  }

  private readonly retry = (): void => {
    this.timer = undefined;
    const now = performance.now();
    const before = this.count;
    for (const [peer, full] of this.full) {
      if (full.waiting.length > 0) this.retryPeer(peer, full, now);
    }
    if (this.count === 0) return;
    this.retryLater(this.count < before ? FIRST_RETRY_MS : Math.min(LAST_RETRY_MS, 2 * this.retryMs));
  };

  private retryPeer(peer: string, full: FullPeer, now: number): void {
    const { socket, waiting } = full;
    full.triedAt = now;
    let done = 0;
    for (const entry of waiting) {
      if (!tryAgain(socket, entry)) break;
      done += 1;
    }
    if (done > 0) full.since = now; // it made room
    if (done === waiting.length) this.full.delete(peer);
    else done = this.giveUp(full, done, now);
    waiting.splice(0, done);
    this.count -= done;
  }

  /** @returns how many need not wait any more, of which some did not before */
  private giveUp(full: FullPeer, done: number, now: number): number {
    const { waiting } = full;
    const overdue = this.isOverdue(full, now);
    let index = done;
    for (; index < waiting.length; index += 1) {
      const { until, reject } = waiting[index]!;
      if (!overdue && now < until) break;
      reject(this.overdue());
    }
    return index;
  }

  /** Gives up on what waits. */
  close(): void {
    clearTimeout(this.timer);
    clearTimeout(this.forgetting);
    for (const { waiting } of this.full.values()) {
      for (const { reject } of waiting) {
        reject(new ZmqError('The server closed before the reply was read', { code: 'ECANCELED' }));
      }
    }
    this.full.clear();
    this.count = 0;
  }

  /** Whether all peers have room, as far as it is known. */
  get idle(): boolean {
    return this.full.size === 0;
  }
}

/** @returns whether it need not wait any more */
function tryAgain(socket: Socket, { parts, mayLeave, resolve, reject }: Waiting): boolean {
  try {
    mayLeave(true);
    if (!attachmentOf(socket).sender.trySend(parts)) {
      mayLeave(false);
      return false;
    }
    resolve();
  } catch (error) {
    reject(error as Error); // the peer is gone
  }
  return true;
}

function idOf(parts: readonly Sendable[]): string {
  return (parts[0] as Buffer).toString('latin1');
}

function peerOf(socket: Socket, id: string): string {
  return `${attachmentOf(socket).id} ${id}`;
}
