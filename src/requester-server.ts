/**
 * One server of a Requester, and the DEALER that it is asked through.
 *
 * 1. A server is asked while its connection is there, which monitor events tell. libzmq's `immediate` would see to that
 *    within one socket for all servers; but with it libzmq ends the process when a connection is lost while a message
 *    is half received.
 * 2. What is queued for a connection that is lost, libzmq would give to the next one, however late. So that connection's
 *    DEALER is closed, once the answers that it has are taken, and another one connects after the time that libzmq
 *    would have waited. An event that comes late is one of a DEALER that is gone, and counts for nothing.
 * 3. Servers that connect here share one DEALER, which libzmq gives a peer with each connection, and takes it away again,
 *    with what was queued for it. They can be asked while one of their connections is there.
 * 4. Over inproc libzmq has a peer or no room, and there are no events.
 */
import { isInproc, shownEndpoint } from './endpoint.js';
import { ContextClosedError, errnoOf, zmqError } from './errors.js';
import type { Message } from './message.js';
import type { SocketOptions } from './option-types.js';
import { LONGEST_TIMER } from './pending.js';
import { attachmentOf, type SendableMessage, type Socket } from './socket.js';
import { Dealer } from './sockets.js';

/** Whoever has servers. */
export interface ServerOwner {
  /** A message of a server. */
  received(frames: Message[]): void;
  /** The server can be asked from now on. */
  available(server: Server): void;
  /** It cannot be asked any more. What waits for room there would do so for ever. */
  unavailable(server: Server): void;
  /** The socket was closed, and not by its owner: with its context. */
  ended(reason: unknown): void;
}

/** What all servers of one Requester have in common. */
export interface ServerSetup {
  readonly owner: ServerOwner;
  readonly options: SocketOptions<'DEALER'>;
  /** Whether requests are queued for connections that are not there yet, and for lost ones. */
  readonly early: boolean;
  /** Milliseconds before a lost connection is tried again; undefined for never. */
  readonly reconnectInterval: number | undefined;
}

/**
 * `'unclear'`: the transport is connected, and nothing said whether the handshake is done. So it is with a server that
 * hangs, and with one that speaks ZMTP 1.0 or 2.0, of whose handshakes libzmq tells nothing.
 */
export type Standing = 'connected' | 'unclear' | 'away';

/** How long a handshake takes at most, in milliseconds, before the connection is taken for an unclear one. */
const HANDSHAKE_MS = 1000;
/** How long the answers of a connection that is left may be taken, in milliseconds. */
const REST_MS = 1000;

export class Server {
  /** Where it is; undefined for those that connect here. */
  readonly endpoint: string | undefined;
  /** For its owner: what waits for its room, in order, and can be taken back; and when it has done with waiting. */
  readonly parked = new Map<AbortController, Promise<void>>();
  readonly #setup: ServerSetup;
  readonly #watched: boolean;
  /** The descriptors of connections that were made here. */
  readonly #accepted = new Set<number>();
  #standing: Standing;
  #dealer: Dealer | undefined;
  /** Whether it has answered while its handshake seemed not to be done: it speaks an old protocol. */
  #isOld = false;
  /** Whether servers may be there of which no event tells. */
  #isBlind = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  /** @throws as `socket.connect`, and as the constructor of a Dealer */
  constructor(setup: ServerSetup, endpoint?: string) {
    this.#setup = setup;
    this.endpoint = endpoint;
    this.#watched = endpoint === undefined || !(setup.early || isInproc(endpoint));
    this.#standing = this.#watched ? 'away' : 'connected';
    this.#dealer = this.#open();
  }

  /** Whether it can be asked. */
  get standing(): Standing {
    return this.#standing;
  }

  /** @returns whether there was room. @throws as `socket.trySend` */
  trySend(frames: SendableMessage): boolean {
    return this.#dealer?.trySend(frames) ?? false;
  }

  /** Waits for room. @throws (rejects) as `socket.send` */
  send(frames: SendableMessage, signal: AbortSignal): Promise<void> {
    return this.#dealer!.send(frames, { timeout: -1, signal });
  }

  /** @throws as `socket.bind` */
  bind(endpoint: string): string {
    const bound = this.#dealer!.bind(endpoint);
    if (isInproc(endpoint)) {
      // Nothing tells whether somebody is there.
      this.#isBlind = true;
      this.#stand('connected');
    }
    return bound;
  }

  /** Takes back one of several endpoints, or this one by another name. @throws as `socket.disconnect` */
  disconnect(endpoint: string): void {
    if (this.#dealer === undefined) {
      throw zmqError(
        errnoOf('ENOENT'),
        `Cannot disconnect from ${shownEndpoint(endpoint)}`,
        undefined,
        endpoint,
      );
    }
    this.#dealer.disconnect(endpoint);
  }

  /** Closes the socket, which lingers if its options say so. */
  close(): void {
    this.#end()?.close();
  }

  /** Closes the socket once the answers that it has are taken. */
  leave(): void {
    retire(this.#end());
  }

  #end(): Dealer | undefined {
    const dealer = this.#dealer;
    this.#closed = true;
    this.#standing = 'away';
    this.#dealer = undefined;
    clearTimeout(this.#timer);
    return dealer;
  }

  #open(): Dealer {
    const dealer = new Dealer(this.#setup.options);
    try {
      if (this.#watched) this.#watch(dealer);
      if (this.endpoint !== undefined) dealer.connect(this.endpoint);
    } catch (error) {
      dealer.close({ linger: 0 });
      throw error;
    }
    // The process stays for requests, not for what servers may say.
    attachmentOf(dealer as unknown as Socket).keepProcess(false);
    void this.#receive(dealer);
    return dealer;
  }

  #watch(dealer: Dealer): void {
    const ofThis = (listener: () => void) => () => {
      if (dealer === this.#dealer) listener();
    };
    dealer.events.on(
      'handshake',
      ofThis(() => {
        this.#isOld = false;
        this.#stand('connected');
      }),
    );
    if (this.endpoint === undefined) {
      dealer.events
        .on('accept', ({ fd }) => this.#acceptedOne(fd))
        .on('disconnect', ({ fd }) => this.#lostOne(fd));
      return;
    }
    dealer.events
      .on(
        'connect',
        ofThis(() => this.#connected()),
      )
      .on(
        'disconnect',
        ofThis(() => this.#lost()),
      );
  }

  #acceptedOne(fd: number): void {
    this.#accepted.add(fd);
    // Of one that speaks an old protocol nothing more is heard.
    if (this.#standing === 'away' && !this.#closed) this.#stand('unclear');
  }

  #lostOne(fd: number): void {
    this.#accepted.delete(fd);
    if (this.#accepted.size > 0 || this.#isBlind || this.#closed) return;
    this.#standing = 'away';
    this.#setup.owner.unavailable(this);
  }

  #connected(): void {
    // With several I/O threads, libzmq may tell of the handshake first.
    if (this.#standing === 'connected') return;
    clearTimeout(this.#timer);
    if (this.#isOld) this.#stand('connected');
    else this.#timer = setTimeout(() => this.#stand('unclear'), HANDSHAKE_MS).unref();
  }

  #stand(standing: Exclude<Standing, 'away'>): void {
    clearTimeout(this.#timer);
    this.#standing = standing;
    this.#setup.owner.available(this);
  }

  #lost(): void {
    clearTimeout(this.#timer);
    // Before it was asked anything: libzmq goes on trying, and has nothing to deliver.
    if (this.#standing === 'away') return;
    this.#standing = 'away';
    this.#setup.owner.unavailable(this);
    const dealer = this.#dealer;
    // An event loop that was busy may have yet to hear that it is back.
    setImmediate(() => {
      if (dealer === this.#dealer && this.#standing === 'away') this.#replace();
    });
  }

  #replace(): void {
    retire(this.#dealer);
    this.#dealer = undefined;
    this.#renewLater();
  }

  #renewLater(): void {
    clearTimeout(this.#timer);
    const { reconnectInterval } = this.#setup;
    if (reconnectInterval === undefined || this.#closed) return;
    // Spread as libzmq spreads it, so that the clients of a server that is back do not come all at once.
    const wait = Math.min(reconnectInterval * (1 + Math.random()), LONGEST_TIMER);
    this.#timer = setTimeout(() => this.#renew(), wait).unref();
  }

  #renew(): void {
    try {
      this.#dealer = this.#open();
    } catch (error) {
      if (error instanceof ContextClosedError) this.#setup.owner.ended(error);
      else this.#renewLater(); // no descriptor or socket is free, for one
    }
  }

  async #receive(dealer: Dealer): Promise<void> {
    try {
      for (;;) {
        const frames = await dealer.recvMultipart({ timeout: -1 });
        if (this.#standing === 'unclear' && dealer === this.#dealer) {
          this.#isOld = true;
          this.#stand('connected');
        }
        this.#setup.owner.received(frames);
        if (dealer !== this.#dealer && !dealer.readable) dealer.close({ linger: 0 });
      }
    } catch (error) {
      if (dealer === this.#dealer) this.#setup.owner.ended(error);
    }
  }
}

/** Closes a socket that is to send nothing more, after what it has received was taken by whoever receives. */
function retire(dealer: Dealer | undefined): void {
  if (dealer === undefined) return;
  if (!dealer.readable) dealer.close({ linger: 0 });
  else setTimeout(() => dealer.close({ linger: 0 }), REST_MS).unref();
}
