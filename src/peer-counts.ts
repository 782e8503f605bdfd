/** Counters of a socket's connections, kept from its monitor events. */
import type { SocketEvent } from './events.js';

/** What became of a socket's connections since counting began; a snapshot. See `socket.peers`. */
export interface PeerCounts {
  /** Connections that are there now, whether their handshake is done or not. */
  readonly open: number;
  /** Connections that peers made to this socket. */
  readonly accepted: number;
  /** Connections that this socket made. */
  readonly connected: number;
  /** Handshakes that succeeded. */
  readonly handshakes: number;
  /** Connections that broke or that the peer closed. */
  readonly disconnected: number;
  /** Attempts to connect that are to be repeated. */
  readonly retries: number;
  /** Connections that could not be accepted, such as for want of file descriptors. */
  readonly acceptErrors: number;
  /** Handshakes that failed, in all. */
  readonly handshakesFailed: number;
  /**
   * Handshakes that failed, by reason: a protocol error's name, the meaning of a ZAP status, or an errno's name.
   */
  readonly handshakeFailures: Readonly<Record<string, number>>;
}

/** @internal */
export class PeerCounter {
  /** By descriptor: one that comes again was closed here before, of which libzmq tells nothing. */
  readonly #open = new Set<number>();
  readonly #failures = new Map<string, number>();
  readonly #counts = {
    accepted: 0,
    connected: 0,
    handshakes: 0,
    disconnected: 0,
    retries: 0,
    acceptErrors: 0,
    handshakesFailed: 0,
  };

  add(event: SocketEvent): void {
    const counts = this.#counts;
    switch (event.type) {
      case 'accept':
        counts.accepted += 1;
        this.#open.add(event.fd);
        break;
      case 'connect':
        counts.connected += 1;
        this.#open.add(event.fd);
        break;
      case 'disconnect':
        counts.disconnected += 1;
        this.#open.delete(event.fd);
        break;
      case 'handshake':
        counts.handshakes += 1;
        break;
      case 'connect:retry':
        counts.retries += 1;
        break;
      case 'accept:error':
        counts.acceptErrors += 1;
        break;
      case 'handshake:error:protocol':
      case 'handshake:error:auth':
        this.#fail(event.reason);
        break;
      case 'handshake:error:other':
        this.#fail(event.code);
        break;
      case 'end':
        this.#open.clear();
        break;
    }
  }

  snapshot(): PeerCounts {
    return {
      open: this.#open.size,
      ...this.#counts,
      handshakeFailures: Object.fromEntries(this.#failures),
    };
  }

  #fail(reason: string): void {
    this.#counts.handshakesFailed += 1;
    this.#failures.set(reason, (this.#failures.get(reason) ?? 0) + 1);
  }
}
