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
import { attachmentOf, type Socket } from '../socket.js';

interface Waiting {
  readonly socket: Socket;
  readonly peer: string;
  readonly parts: Sendable[];
  readonly until: number;
  readonly mayLeave: (may: boolean) => void;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const FIRST_RETRY_MS = 1;
const LAST_RETRY_MS = 32;
/** So many peers without room are remembered: it is not told when one is gone. */
const MOST_FULL = 1024;

export class ReplyQueue {
  private waiting: Waiting[] = [];
  private timer: NodeJS.Timeout | undefined;
  private retryMs = FIRST_RETRY_MS;
  /** Since when peers have had no room, the oldest first. */
  private readonly fullSince = new Map<string, number>();

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
    const { idle } = this;
    if (idle && attachmentOf(socket).sender.trySend(parts)) return undefined;
    if (!idle) {
      const peer = peerOf(socket, parts);
      const behind = this.waiting.some((entry) => entry.peer === peer);
      if (!behind && this.attempt(socket, peer, parts)) return undefined;
    }
    return this.wait(socket, parts, mayLeave);
  }

  /** Sends a reply that found no room, once there is some. As `send`. */
  wait(socket: Socket, parts: Sendable[], mayLeave: (may: boolean) => void): Promise<void> {
    const peer = peerOf(socket, parts);
    // What cannot be sent is refused at once, not when its turn comes: then nobody would be answered. Copied, for the
    // handler may use its memory again.
    const encoded = parts.map((part, index) => Buffer.from(encodePart(part, index)));
    const now = performance.now();
    if (this.isOverdue(peer, now)) throw this.overdue();
    this.noteFull(peer, now);
    mayLeave(false);
    return new Promise<void>((resolve, reject) => {
      const until = now + this.patience;
      this.waiting.push({ socket, peer, parts: encoded, until, mayLeave, resolve, reject });
      if (this.timer === undefined) this.retryLater(FIRST_RETRY_MS);
    });
  }

  /** @returns whether it is sent */
  private attempt(socket: Socket, peer: string, parts: Sendable[]): boolean {
    let full = false;
    try {
      full = !attachmentOf(socket).sender.trySend(parts);
      return !full;
    } finally {
      if (!full) this.fullSince.delete(peer); // it has room, or is gone
    }
  }

  private noteFull(peer: string, now: number): void {
    if (this.fullSince.has(peer)) return;
    this.fullSince.set(peer, now);
    if (this.fullSince.size <= MOST_FULL) return;
    const [oldest] = this.fullSince.keys();
    this.fullSince.delete(oldest!);
  }

  private isOverdue(peer: string, now: number): boolean {
    return now - (this.fullSince.get(peer) ?? now) >= this.patience;
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
    const full = new Set<string>();
    const before = this.waiting.length;
    this.waiting = this.waiting.filter((entry) => {
      const { socket, peer } = entry;
      try {
        if (!full.has(peer)) {
          entry.mayLeave(true);
          if (this.attempt(socket, peer, entry.parts)) {
            entry.resolve();
            return false;
          }
          entry.mayLeave(false);
          full.add(peer);
          this.noteFull(peer, now);
        }
      } catch (error) {
        entry.reject(error as Error);
        return false;
      }
      if (now < entry.until && !this.isOverdue(peer, now)) return true;
      entry.reject(this.overdue());
      return false;
    });
    if (this.waiting.length === 0) return;
    this.retryLater(
      this.waiting.length < before ? FIRST_RETRY_MS : Math.min(LAST_RETRY_MS, 2 * this.retryMs),
    );
  };

  /** Gives up on what waits. */
  close(): void {
    clearTimeout(this.timer);
    for (const entry of this.waiting.splice(0)) {
      entry.reject(new ZmqError('The server closed before the reply was read', { code: 'ECANCELED' }));
    }
  }

  /** Whether all peers have room, as far as it is known. */
  get idle(): boolean {
    return this.waiting.length === 0 && this.fullSince.size === 0;
  }

  /** How many replies wait for peers that do not read. */
  get length(): number {
    return this.waiting.length;
  }
}

function peerOf(socket: Socket, parts: readonly Sendable[]): string {
  return `${attachmentOf(socket).id} ${(parts[0] as Buffer).toString('latin1')}`;
}
