/** What a server and a pipeline have in common while they run and when they end. */
import { HandlerError } from '../errors.js';
import { checkFlag, checkOptions, checkTimeout } from '../pending.js';
import type { LaneHost } from './lane-host.js';
import type { ThreadEvent } from './lane-host-options.js';

/** How `close` goes about it. */
export interface DrainOptions {
  /** Whether to finish what was accepted; true unless told. */
  drain?: boolean | undefined;
  /**
   * How long that may take, in milliseconds, -1 for as long as it takes; 5000 unless told. Then what still runs is
   * aborted; a thread that does not end by itself within another 2 s, since its handler blocks it, is ended.
   */
  timeout?: number | undefined;
}

/** How long running handlers get when their signal was aborted, in milliseconds. */
const ABORT_MS = 100;
/** What libzmq gets to send what it has, even when the time is up, in milliseconds. */
const LEAST_LINGER_MS = 100;

/** The end of a run: once, however often it is asked for. */
export class Ending<Result> {
  #ended: Promise<Result> | undefined;
  #time: EndTime | undefined;

  constructor(private readonly end: (time: EndTime) => Promise<Result>) {}

  get begun(): boolean {
    return this.#ended !== undefined;
  }

  /** @returns a promise that rejects with {@link ArgumentError} for bad options */
  begin(options: DrainOptions | undefined): Promise<Result> {
    try {
      const { drain, timeout = 5000 } = checkOptions(options, ['drain', 'timeout']);
      const drains = drain === undefined || checkFlag('drain', drain);
      checkTimeout(timeout);
      if (this.#ended === undefined) {
        this.#time = new EndTime(drains, timeout);
        this.#ended = this.end(this.#time);
      } else if (options !== undefined) {
        this.#time!.hasten(drains, timeout);
      }
      return this.#ended;
    } catch (error) {
      return Promise.reject(error);
    }
  }
}

/** How long an end may take. */
export class EndTime {
  private until = Infinity;

  constructor(
    private drain: boolean,
    timeout: number,
  ) {
    this.hasten(drain, timeout);
  }

  /** Whoever is in more of a hurry than before has it that way; nobody can slow it down. */
  hasten(drain: boolean, timeout: number): void {
    this.drain &&= drain;
    if (timeout >= 0) this.until = Math.min(this.until, performance.now() + timeout);
  }

  /**
   * Waits until all is done, or aborts what is not.
   *
   * @param drained waits until there is no time any more, and says whether all is done
   */
  async finish(drained: (isOver: () => boolean) => Promise<boolean>, abort: () => void): Promise<void> {
    if (await drained(() => !this.drain || performance.now() >= this.until)) return;
    abort();
    const last = performance.now() + ABORT_MS;
    await drained(() => performance.now() >= last);
  }

  /** What is left for libzmq to send what it has, in milliseconds; -1 for as long as it takes. */
  get linger(): number {
    return this.until === Infinity ? -1 : Math.max(LEAST_LINGER_MS, this.until - performance.now());
  }
}

/** How much is done per second, between one look and the next. */
export class RateMeter {
  readonly #startedAt = performance.now();
  #last = { at: this.#startedAt, count: 0 };

  /** @returns milliseconds since the start, and the rate since the last look */
  look(count: number): { uptime: number; rate: number } {
    const now = performance.now();
    const rate = ((count - this.#last.count) * 1000) / Math.max(1, now - this.#last.at);
    this.#last = { at: now, count };
    return { uptime: now - this.#startedAt, rate };
  }
}

/** Has what goes wrong with a host's threads reported as errors, too. */
export function onThreads(
  host: LaneHost,
  tell: (event: ThreadEvent) => void,
  report: (error: Error, type: 'thread' | 'circuit', thread: number) => void,
): void {
  host.on('thread', (event) => {
    tell(event);
    if (event.type === 'died') report(event.error!, 'thread', event.thread);
    if (event.type === 'circuit-open') {
      const seconds = event.wait! / 1000;
      const text = `handler thread ${event.thread} died too often and is replaced in ${seconds} s`;
      report(new HandlerError(text, { cause: event.error }), 'circuit', event.thread);
    }
  });
}
