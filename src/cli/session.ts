/**
 * One run of a command: what ends it early, and what is left to do at its end.
 *
 * 1. The first SIGINT, SIGTERM or SIGHUP, or the end of who reads our output, aborts `signal`; the command comes back
 *    from whatever it waits for, and everything is closed. The second signal ends the process at once.
 * 2. A run that ends by itself waits until its messages are sent, as linger and `--timeout` say. One that is
 *    interrupted gives them a moment.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { TimeoutError } from '../errors.js';
import type * as Package from '../index.js';
import { CommandError, EXIT, outcomeOf } from './outcome.js';

/** What an interrupted command allows its messages, and its output, for leaving, in milliseconds. */
const INTERRUPTED_LINGER = 250;

const SIGNALS = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated, SIGHUP: EXIT.hangUp } as const;

export interface Closeable {
  close(options?: { linger?: number }): unknown;
  readonly linger?: number;
}

export class Session {
  readonly #controller = new AbortController();
  readonly #closers: (() => unknown)[] = [];
  readonly #sockets: Closeable[] = [];
  #package: typeof Package | undefined;
  #early: number | undefined;
  #failure: unknown;
  /** Milliseconds that the end may take, -1 for ever. */
  closeTimeout = -1;

  /** @param name the command, as messages show it */
  constructor(readonly name: string) {}

  /** Aborted when the command is to come to its end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get interrupted(): boolean {
    return this.#early !== undefined;
  }

  /** The package with its addon, which not every command needs. @throws {@link CommandError} if it cannot be loaded */
  async load(): Promise<typeof Package> {
    try {
      this.#package ??= await import('../index.js');
      return this.#package;
    } catch (error) {
      const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0];
      throw new CommandError(
        `cannot load the native addon: ${reason} ("zeromq-threads doctor" says what to do)`,
      );
    }
  }

  /** Closes the socket when the command ends. */
  own<Owned extends Closeable>(socket: Owned): Owned {
    this.#sockets.push(socket);
    return socket;
  }

  /** Calls `closer` when the command ends, before sockets are closed; the last one first. */
  atEnd(closer: () => unknown): void {
    this.#closers.unshift(closer);
  }

  /** Ends the command early, because of that. */
  fail(error: CommandError): void {
    if (this.interrupted) return;
    this.#failure ??= error;
    this.#stop(error.exitCode);
  }

  /** Writes a line to stderr. */
  note(text: string): void {
    process.stderr.write(`zeromq-threads ${this.name}: ${text}\n`);
  }

  /** Writes to stdout. Resolves when there is room for more, or the command is to end. */
  async write(data: string | Uint8Array): Promise<void> {
    if (this.#early === EXIT.brokenPipe) return;
    if (!process.stdout.write(data)) await this.#drained();
  }

  /** Runs the command to its end, and the process with it. */
  async run(body: (session: Session) => Promise<void>): Promise<never> {
    for (const [signal, status] of Object.entries(SIGNALS)) {
      process.on(signal, () => {
        if (this.interrupted) process.exit(status);
        this.#stop(status);
      });
    }
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') this.#failure ??= error;
      this.#stop(error.code === 'EPIPE' ? EXIT.brokenPipe : EXIT.failure);
    });
    process.stderr.on('error', () => {});
    let failure: unknown;
    try {
      await body(this);
    } catch (error) {
      failure = error;
    }
    try {
      await this.#close();
    } catch (error) {
      failure ??= error;
    }
    if (this.#early !== EXIT.brokenPipe) await this.#flush();
    process.exit(this.#status(failure));
  }

  #status(failure: unknown): number {
    const told = this.#failure ?? (this.interrupted ? undefined : failure);
    if (told === undefined) return this.#early ?? EXIT.success;
    const { exitCode, message } = outcomeOf(told);
    if (message !== '') this.note(message);
    return exitCode;
  }

  #stop(status: number): void {
    if (this.#early !== undefined) return;
    this.#early = status;
    this.#controller.abort(new CommandError('interrupted', status));
  }

  async #close(): Promise<void> {
    for (const closer of this.#closers) await closer();
    if (this.interrupted) {
      for (const socket of this.#sockets) socket.close({ linger: this.#shortLinger(socket) });
    }
    if (this.#package === undefined) return;
    // It closes the sockets that are still open, and waits for their messages.
    const closed = this.#package.context().close({ timeout: this.interrupted ? -1 : this.closeTimeout });
    try {
      // Who interrupts this wait has waited enough.
      await (this.interrupted ? closed : Promise.race([closed, this.#aborted()]));
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      throw new CommandError('--timeout is over with messages unsent, which are lost', EXIT.timeout);
    }
  }

  #shortLinger(socket: Closeable): number {
    try {
      const { linger = -1 } = socket;
      return linger >= 0 ? Math.min(linger, INTERRUPTED_LINGER) : INTERRUPTED_LINGER;
    } catch {
      return 0; // closed already
    }
  }

  /** Everything written has left; or nobody reads it, and a moment is over since the command was interrupted. */
  async #flush(): Promise<void> {
    const written = new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
    const given = this.#aborted().then(() => pause(INTERRUPTED_LINGER));
    await Promise.race([written, given]);
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        process.stdout.off('drain', done);
        this.signal.removeEventListener('abort', done);
        resolve();
      };
      process.stdout.on('drain', done);
      this.signal.addEventListener('abort', done);
      if (this.signal.aborted) done();
    });
  }

  #aborted(): Promise<void> {
    return new Promise((resolve) => {
      if (this.signal.aborted) resolve();
      else this.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}
