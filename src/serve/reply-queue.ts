/**
 * Replies on their way through a shared ROUTER socket. libzmq has a queue for each peer; where that is full, or the
 * peer is gone, the ROUTER says so (`mandatory`). A full one must not hold up replies to others, so such replies wait
 * here, in order for each peer, and for a limited time.
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

export class ReplyQueue {
  private waiting: Waiting[] = [];
  private timer: NodeJS.Timeout | undefined;
  private retryMs = FIRST_RETRY_MS;

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
    const { sender } = attachmentOf(socket);
    if (this.waiting.length === 0) {
      if (sender.trySend(parts)) return undefined;
    } else {
      const peer = peerOf(parts);
      const behind = this.waiting.some((entry) => entry.peer === peer && entry.socket === socket);
      if (!behind && sender.trySend(parts)) return undefined;
    }
    // What cannot be sent is refused at once, not when its turn comes: then nobody would be answered.
    const encoded = parts.map(encodePart);
    mayLeave(false);
    return new Promise<void>((resolve, reject) => {
      const until = performance.now() + this.patience;
      this.waiting.push({ socket, peer: peerOf(parts), parts: encoded, until, mayLeave, resolve, reject });
      if (this.timer === undefined) this.retryLater(FIRST_RETRY_MS);
    });
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
      const peer = `${attachmentOf(entry.socket).id} ${entry.peer}`;
      if (full.has(peer) && now < entry.until) return true;
      try {
        if (!full.has(peer)) {
          entry.mayLeave(true);
          if (attachmentOf(entry.socket).sender.trySend(entry.parts)) {
            entry.resolve();
            return false;
          }
          entry.mayLeave(false);
        }
      } catch (error) {
        entry.reject(error as Error);
        return false;
      }
      full.add(peer);
      if (now < entry.until) return true;
      entry.reject(new TimeoutError('The reply was not read and', this.patience / 1000));
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

  /** How many replies wait for peers that do not read. */
  get length(): number {
    return this.waiting.length;
  }
}

function peerOf(parts: readonly Sendable[]): string {
  return (parts[0] as Buffer).toString('latin1');
}
