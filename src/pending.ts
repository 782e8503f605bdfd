/**
 * Operations that wait, in the order in which they were asked for. Each ends exactly once: settled, timed out,
 * cancelled, or failed with the socket.
 */
import { ignoreAbort, onAbort } from './cancellation.js';
import { ArgumentError, argumentError, TimeoutError } from './errors.js';

/** How long an operation may wait, and what cancels it. */
export interface WaitOptions {
  /** Milliseconds; 0 does not wait, -1 waits for ever. Without it the socket's option counts. */
  timeout?: number | undefined;
  /** Cancels the operation: it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

export interface Deadline {
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

/** The longest timeout that a timer takes, in milliseconds; a longer one is as good as none. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** @throws {@link ArgumentError} unless it is -1 or a finite number of milliseconds from 0 up */
export function checkTimeout(timeout: unknown, name = 'timeout'): number {
  if (typeof timeout !== 'number' || !(timeout === -1 || (timeout >= 0 && timeout !== Infinity))) {
    throw argumentError(name, 'a number of milliseconds from 0 up, or -1 for no limit', timeout);
  }
  return timeout;
}

/**
 * @param names all that there are; another property would do nothing
 * @returns the options, none if they are undefined. @throws {@link ArgumentError} unless they are an object, and of those
 */
export function checkOptions<Options extends object>(
  options: Options | undefined,
  names?: readonly (keyof Options & string)[],
): Partial<Options> {
  if (options === undefined) return {};
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw argumentError('options', 'an object', options);
  }
  if (names !== undefined) checkNames('options', options, names);
  return options;
}

/** @throws {@link ArgumentError} when `options` has a property of another name, which would do nothing */
export function checkNames(what: string, options: object, names: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!names.includes(name))
      throw new ArgumentError(`${what}: expected only ${names.join(', ')}, got '${name}'`);
  }
}

/** @returns whether an optional flag is set. @throws {@link ArgumentError} unless it is a boolean or undefined */
export function checkFlag(name: string, flag: unknown): boolean {
  if (flag !== undefined && typeof flag !== 'boolean') throw argumentError(name, 'a boolean', flag);
  return flag === true;
}

const WAIT_NAMES = ['timeout', 'signal'] as const;

/**
 * Checks the options of a waiting call.
 *
 * @param fallback the timeout where the options name none
 * @param names of all options that the call has
 */
export function deadlineOf<Options extends WaitOptions>(
  options: Options | undefined,
  fallback: number,
  names: readonly (keyof Options & string)[] = WAIT_NAMES,
): Deadline {
  if (options === undefined) return { timeout: fallback, signal: undefined };
  const { timeout, signal } = checkOptions(options, names);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw argumentError('signal', 'an AbortSignal', signal);
  }
  return { timeout: timeout === undefined ? fallback : checkTimeout(timeout), signal };
}

/**
 * What the promise of an operation gives, where that is not what the operation gave. It is worked out when the operation
 * settles: in a `then` it would let operations that came later settle earlier.
 */
export interface Outcome<Value> {
  /** @throws what the promise rejects with */
  of(value: Value): unknown;
  /** @returns what the promise resolves to after all. @throws what it rejects with */
  ofFailure?(reason: unknown): unknown;
}

/** One waiting operation. */
export class Pending<Value, Kind> {
  readonly promise: Promise<Value>;
  private resolve!: (value: Value) => void;
  private reject!: (reason: unknown) => void;
  private timer: NodeJS.Timeout | undefined;
  private signal: AbortSignal | undefined;
  private onAbort: (() => void) | undefined;

  constructor(
    readonly kind: Kind,
    readonly outcome?: Outcome<Value>,
  ) {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /**
   * @param what the operation's name, for the TimeoutError
   * @param withdraw takes the operation out of its queue; false if it is too late, and then its outcome stands
   * @param lastLook what to do when the time is over, before the operation is withdrawn: the event loop may be late,
   *   and what it waits for be there. Who cancels does not want it any more.
   */
  limit(deadline: Deadline, what: string, withdraw: () => boolean, lastLook = (): void => {}): void {
    const { timeout, signal } = deadline;
    if (timeout >= 0 && timeout <= LONGEST_TIMER) {
      this.timer = setTimeout(() => {
        lastLook();
        if (withdraw()) this.fail(new TimeoutError(what, timeout / 1000));
      }, timeout);
    }
    if (signal !== undefined) {
      this.signal = signal;
      this.onAbort = (): void => {
        if (withdraw()) this.fail(signal.reason);
      };
      onAbort(signal, this.onAbort);
    }
  }

  settle(value: Value): void {
    this.end();
    const { outcome } = this;
    if (outcome === undefined) this.resolve(value);
    else this.conclude(() => outcome.of(value));
  }

  fail(reason: unknown): void {
    this.end();
    const { outcome } = this;
    if (outcome?.ofFailure === undefined) this.reject(reason);
    else this.conclude(() => outcome.ofFailure!(reason));
  }

  private conclude(outcome: () => unknown): void {
    try {
      this.resolve(outcome() as Value);
    } catch (reason) {
      this.reject(reason);
    }
  }

  private end(): void {
    if (this.timer !== undefined) clearTimeout(this.timer);
    if (this.onAbort !== undefined) ignoreAbort(this.signal!, this.onAbort);
  }
}
