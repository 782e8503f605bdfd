/**
 * The handshakes of a socket with what it connects to. Where one is refused, libzmq drops what was for that peer and does
 * not try again, so that a socket that closes then has nothing left to send.
 */
import type { Socket, SocketEvent } from '../index.js';
import { CommandError } from './outcome.js';
import type { Session } from './session.js';
import type { SocketFlags } from './socket-flags.js';

/** How long a handshake may take before it is not waited for, in milliseconds: of old protocols' nothing is heard. */
const HANDSHAKE_MS = 1000;

export class Handshakes {
  readonly #session: Session;
  readonly #socket: Socket;
  /** Where connections are, and what their handshake has come to. */
  readonly #places = new Map<string, 'begun' | 'failed' | 'done'>();
  /** Whether there was one to which messages could leave. */
  #wasThere = false;
  readonly #expected: boolean;
  #look = (): void => {};

  /** Watches a socket that is not connected yet: a handshake that is refused ends the command. */
  constructor(session: Session, socket: Socket, { type, bind, connect = [] }: SocketFlags) {
    this.#session = session;
    this.#socket = socket;
    // Otherwise messages may leave, or be dropped, without any.
    this.#expected = bind === undefined && connect.some((endpoint) => !endpoint.startsWith('inproc:'));
    if (connect.length === 0 || type === 'STREAM') return;
    socket.events
      .on('connect', ({ address }) => this.#begun(address))
      .on('handshake', ({ address }) => this.#become(address, 'done'))
      .on('handshake:error:auth', (event) => this.#refused(event, event.reason))
      .on('handshake:error:protocol', (event) => this.#refused(event, event.reason))
      .on('handshake:error:other', ({ address }) => this.#become(address, 'failed'))
      .on('disconnect', (event) => {
        // Of this there is no event.
        if (this.#places.get(event.address) === 'begun')
          this.#refused(event, `perhaps it does not fit ${type}`);
        this.#places.delete(event.address);
      });
  }

  /** Waits until a connection was there, and no handshake is under way, or the time for messages to leave is over. */
  async settled(): Promise<void> {
    if (!this.#expected) return;
    const began = performance.now();
    const { linger } = this.#socket;
    const { closeTimeout, signal } = this.#session;
    const limits = [linger, closeTimeout].filter((limit) => limit >= 0);
    await this.#wait(Math.min(2 ** 31 - 1, ...limits), signal);
    if (signal.aborted) return;
    // Not 0, with which nobody looks for what is unsent.
    const left = (limit: number): number =>
      limit <= 0 ? limit : Math.max(1, Math.round(limit - (performance.now() - began)));
    this.#socket.linger = left(linger);
    this.#session.closeTimeout = left(closeTimeout);
  }

  #wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      // A listener of events keeps no process; this does.
      const timer = setTimeout(end, milliseconds);
      this.#look = () => {
        if (this.#wasThere && ![...this.#places.values()].includes('begun')) end();
      };
      signal.addEventListener('abort', end);
      if (signal.aborted) end();
      else this.#look();
    });
  }

  #begun(address: string): void {
    this.#places.set(address, 'begun');
    setTimeout(() => {
      if (this.#places.get(address) === 'begun') this.#become(address, 'done');
    }, HANDSHAKE_MS).unref();
  }

  #become(address: string, state: 'failed' | 'done'): void {
    // Others are those of peers that connect here.
    if (!this.#places.has(address)) return;
    this.#places.set(address, state);
    this.#wasThere ||= state === 'done';
    this.#look();
  }

  #refused({ address }: SocketEvent, reason: string): void {
    if (!this.#places.has(address)) return;
    this.#session.fail(
      new CommandError(`the handshake with ${address} failed: ${reason}; what has not left is lost`),
    );
  }
}
