/**
 * Authenticator: who may connect to the sockets of a context.
 *
 * 1. Here is the bound ROUTER, so that a handler is there from the constructor's return on, and the application's
 *    functions. The decisions are made in a thread of its own, workers/zap-thread.ts, which has the same ROUTER.
 * 2. Nothing here keeps the process alive, except who waits for an event, or for the end.
 * 3. Should the thread die, the ROUTER stays: nobody is let in then, where nobody bound would let everybody in.
 */
import { access, constants, readdir } from 'node:fs/promises';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { Context } from '../context.js';
import { ZAP_THREAD } from '../entry-files.js';
import { argumentError, HandlerError, SocketClosedError, TimeoutError, ZmqError } from '../errors.js';
import { checkOptions } from '../pending.js';
import { attachmentOf, Socket } from '../socket.js';
import { type AuthenticatorEvent, AuthenticatorEvents } from './authenticator-events.js';
import {
  type AddressOptions,
  type AuthenticatorOptions,
  type CurveOptions,
  type CurveRequest,
  checkAddresses,
  checkCurve,
  checkLimits,
  checkPlain,
  type PlainOptions,
  type PlainRequest,
  type Verdict,
  type Verify,
} from './authenticator-options.js';
import {
  COUNT_ACCEPTED,
  COUNT_DEFERRED,
  COUNT_DENIED,
  COUNT_EVENTS_DROPPED,
  COUNT_EVENTS_TAKEN,
  COUNT_FAILED,
  COUNT_MALFORMED,
  COUNT_PENDING,
  COUNTERS,
  type FromThread,
  type Question,
  type ToThread,
  type ZapThreadData,
} from './thread-messages.js';
import { replyOf } from './verdict.js';
import { ZAP_ENDPOINT, type ZapReply } from './zap-message.js';

/** What an Authenticator has decided so far. */
export interface AuthenticatorStats {
  /** Peers that were let in. */
  readonly accepted: number;
  /** Status 400: wrong or no credentials, or an address that is not welcome. */
  readonly denied: number;
  /** Status 300: a `verify` function was late or had too much to do, or a file could not be read. */
  readonly deferred: number;
  /** Status 500: a `verify` function failed. */
  readonly failed: number;
  /** Of `denied`, those that were no request of ZAP 1.0. */
  readonly malformed: number;
  /** `verify` functions under way. */
  readonly pending: number;
  /** Events that nobody read in time. */
  readonly eventsDropped: number;
}

/** Nobody need hold an Authenticator that is at work. */
const open = new Set<Authenticator>();

/**
 * Decides who may connect to the sockets of one context: a ZAP handler (ZeroMQ RFC 27) on its own thread. libzmq asks it
 * about connections to sockets that are CURVE or PLAIN servers, or have a `zapDomain`. Until it is told otherwise it
 * refuses all of CURVE and PLAIN, and lets in NULL, as those of czmq and pyzmq do. GSSAPI is refused.
 *
 * Without one, libzmq lets in whoever knows a CURVE server's public key. So make it first and close it last, and give
 * the sockets a domain that libzmq enforces: then nobody gets in when it is not there.
 *
 * ```ts
 * const authenticator = new Authenticator();
 * authenticator.deny('192.0.2.0/24');
 * await authenticator.configureCurve({ directory: 'keys/clients' });
 * const server = new Router({
 *   curveServer: true,
 *   curvePublicKey: publicKey,
 *   curveSecretKey: secretKey,
 *   zapDomain: 'global',
 *   zapEnforceDomain: true,
 * });
 * ```
 */
export class Authenticator {
  readonly #context: Context | undefined;
  readonly #socket: Socket;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #counters = new Int32Array(new SharedArrayBuffer(COUNTERS * 4));
  readonly #callbackTimeout: number;
  readonly #plain = new Map<string, Verify<PlainRequest>>();
  readonly #curve = new Map<string, Verify<CurveRequest>>();
  readonly #underWay = new Map<number, AbortController>();
  readonly #events: AuthenticatorEvents;
  readonly #exited: Promise<void>;
  #droppedHere = 0;
  #wanted = false;
  #keeping = 0;
  #ending = false;

  /**
   * @throws {@link ZmqError} `'EADDRINUSE'` if the context has a ZAP handler already, {@link ContextClosedError},
   *   {@link ArgumentError} for bad options
   */
  constructor(options?: AuthenticatorOptions);
  constructor(context: Context, options?: AuthenticatorOptions);
  constructor(first?: Context | AuthenticatorOptions, second?: AuthenticatorOptions) {
    const options = checkOptions(first instanceof Context ? second : first);
    const context = first instanceof Context ? first : options.context;
    if (context !== undefined && !(context instanceof Context))
      throw argumentError('context', 'a Context', context);
    const limits = checkLimits(options);
    this.#context = context;
    this.#callbackTimeout = limits.callbackTimeout;
    this.#socket = boundRouter(context);
    const channel = new MessageChannel();
    this.#port = channel.port1;
    this.#worker = new Worker(ZAP_THREAD, {
      workerData: {
        socket: this.#socket.share(),
        port: channel.port2,
        counters: this.#counters,
        ...limits,
      } satisfies ZapThreadData,
      transferList: [channel.port2],
      name: 'zeromq-threads ZAP',
      execArgv: [],
      stdin: false,
    });
    this.#events = new AuthenticatorEvents({
      want: () => this.#want(),
      keep: (keep) => this.#keep(keep),
      dropped: () => {
        this.#droppedHere += 1;
      },
    });
    this.#worker.on('error', (cause) => {
      const error = new HandlerError(`The Authenticator's thread died: ${(cause as Error).message}`, {
        cause,
      });
      this.#events.emit({ type: 'error', domain: '', address: '', mechanism: '', error });
    });
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    void this.#exited.then(() => this.#ended());
    this.#port.on('message', (message: FromThread) => this.#hear(message));
    this.#port.unref();
    this.#worker.unref();
    open.add(this);
  }

  /** The context whose sockets it answers for; undefined for the default one. */
  get context(): Context | undefined {
    return this.#context;
  }

  /** Whether it was closed, or its context was. */
  get closed(): boolean {
    return this.#ending || this.#socket.closed;
  }

  /** What it decides, and what goes wrong. */
  get events(): AuthenticatorEvents {
    return this.#events;
  }

  /**
   * Lets in only peers from these addresses and those of earlier calls; what else they need to prove stays. Peers that
   * come over `ipc` have no address and are meant by `'ipc'`.
   *
   * ```ts
   * authenticator.allow('127.0.0.1', '10.0.0.0/8', 'fd00::/8');
   * authenticator.allow('10.1.2.3', { domain: 'admin' }); // of those, only this one to sockets of that domain
   * ```
   *
   * @throws {@link ArgumentError} for what is no address or range, {@link SocketClosedError} when closed
   */
  allow(...addresses: [...string[], string | AddressOptions]): void {
    this.#tell({ type: 'addresses', list: 'allow', ...checkAddresses(addresses) });
  }

  /** Refuses peers from these addresses, also those that are allowed. Connections that are there stay. @throws as `allow` */
  deny(...addresses: [...string[], string | AddressOptions]): void {
    this.#tell({ type: 'addresses', list: 'deny', ...checkAddresses(addresses) });
  }

  /**
   * Says who may connect with PLAIN. Holds for connections from the call's return on, in place of what was said for the
   * domain before.
   *
   * ```ts
   * await authenticator.configurePlain({ passwords: { admin: 'secret' } });
   * await authenticator.configurePlain({ domain: 'reports', file: 'reports.passwords' });
   * await authenticator.configurePlain({ verify: ({ username, password }) => directory.check(username, password) });
   * ```
   *
   * @returns a promise that rejects if the file cannot be read: nobody is let in until it can be
   * @throws (rejects) {@link ArgumentError}, {@link SocketClosedError} when closed, a system error for the file
   */
  async configurePlain(options: PlainOptions): Promise<void> {
    const { domain, source, verify } = checkPlain(options);
    this.#tell({ type: 'plain', domain, source });
    if (verify === undefined) this.#plain.delete(domain);
    else this.#plain.set(domain, verify);
    if (source.kind === 'file') await access(source.path, constants.R_OK);
  }

  /**
   * Says who may connect with CURVE, as `configurePlain` does.
   *
   * ```ts
   * await authenticator.configureCurve({ keys: [alicePublicKey] });
   * await authenticator.configureCurve({ directory: 'keys/clients' });
   * await authenticator.configureCurve({
   *   verify: async ({ publicKey }) => {
   *     const user = await users.findByKey(publicKey);
   *     return user && { userId: user.name, metadata: { role: user.role } };
   *   },
   * });
   * ```
   *
   * @returns a promise that rejects if the folder cannot be read: nobody is let in until it can be
   * @throws (rejects) as `configurePlain`
   */
  async configureCurve(options: CurveOptions): Promise<void> {
    const { domain, source, verify } = checkCurve(options);
    this.#tell({ type: 'curve', domain, source });
    if (verify === undefined) this.#curve.delete(domain);
    else this.#curve.set(domain, verify);
    if (source.kind === 'folder') await readdir(source.path);
  }

  /** What it has decided so far. */
  stats(): AuthenticatorStats {
    const at = (index: number): number => Atomics.load(this.#counters, index) >>> 0;
    return {
      accepted: at(COUNT_ACCEPTED),
      denied: at(COUNT_DENIED),
      deferred: at(COUNT_DEFERRED),
      failed: at(COUNT_FAILED),
      malformed: at(COUNT_MALFORMED),
      pending: at(COUNT_PENDING),
      eventsDropped: at(COUNT_EVENTS_DROPPED) + this.#droppedHere,
    };
  }

  /**
   * Ends it; closing it again does nothing. Close the servers first: without a handler, libzmq lets in everybody whom
   * no `zapEnforceDomain` keeps out.
   *
   * @returns a promise that resolves when its thread has ended
   */
  async close(): Promise<void> {
    if (!this.#ending) {
      this.#ending = true;
      this.#socket.close();
    }
    this.#keep(true);
    await this.#exited;
    this.#keep(false);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #tell(message: ToThread): void {
    if (this.closed) throw new SocketClosedError('Authenticator is closed');
    this.#port.postMessage(message);
  }

  #want(): void {
    if (this.#wanted || this.closed) return;
    this.#wanted = true;
    this.#tell({ type: 'report' });
  }

  /** As often as the process was to be kept it has to be let go. */
  #keep(keep: boolean): void {
    this.#keeping += keep ? 1 : -1;
    if (this.#keeping > 0) this.#worker.ref();
    else this.#worker.unref();
  }

  #hear(message: FromThread): void {
    if (message.type === 'ask') {
      void this.#ask(message.id, message.question);
    } else if (message.type === 'late') {
      const timeout = new TimeoutError('verify', this.#callbackTimeout / 1000);
      this.#underWay.get(message.id)?.abort(timeout);
    } else {
      Atomics.add(this.#counters, COUNT_EVENTS_TAKEN, 1);
      this.#events.emit(message.event);
    }
  }

  async #ask(id: number, question: Question): Promise<void> {
    const controller = new AbortController();
    this.#underWay.set(id, controller);
    let reply: ZapReply;
    try {
      const isPlain = question.mechanism === 'PLAIN';
      const verdict = await this.#verdict(question, controller.signal);
      reply = replyOf(verdict, isPlain ? question.username : question.publicKey);
    } catch (thrown) {
      reply = { status: 500, text: 'Internal error' };
      this.#complain(thrown, question);
    }
    this.#underWay.delete(id);
    if (!this.closed) this.#tell({ type: 'answer', id, reply });
  }

  #verdict({ configured, ...request }: Question, signal: AbortSignal): Verdict | Promise<Verdict> {
    if (request.mechanism === 'PLAIN') return this.#plain.get(configured)?.({ ...request, signal });
    return this.#curve.get(configured)?.({ ...request, signal });
  }

  #complain(thrown: unknown, { domain, address, mechanism }: Question): void {
    const error = thrown instanceof Error ? thrown : new HandlerError(`verify threw ${String(thrown)}`);
    this.#events.emit({ type: 'error', domain, address, mechanism, error } satisfies AuthenticatorEvent);
  }

  #ended(): void {
    open.delete(this);
    for (const controller of this.#underWay.values()) controller.abort(new SocketClosedError());
    this.#port.close();
    this.#events.end();
  }
}

function boundRouter(context: Context | undefined): Socket {
  const router = new Socket('ROUTER', { linger: 0, ...(context === undefined ? {} : { context }) });
  attachmentOf(router).keepProcess(false);
  try {
    router.bind(ZAP_ENDPOINT);
  } catch (error) {
    router.close();
    if ((error as ZmqError).code !== 'EADDRINUSE') throw error;
    throw new ZmqError(
      `The context has a ZAP handler already, such as another Authenticator: ${ZAP_ENDPOINT} is in use (EADDRINUSE)`,
      { code: 'EADDRINUSE', errno: (error as ZmqError).errno, cause: error },
    );
  }
  return router;
}
