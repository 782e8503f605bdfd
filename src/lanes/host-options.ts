/** Options that `serve` and `pipeline` have in common, checked. */
import { availableParallelism } from 'node:os';
import { type ResourceLimits, SHARE_ENV } from 'node:worker_threads';
import { ArgumentError, argumentError } from '../errors.js';
import { checkNames, checkTimeout } from '../pending.js';
import { type CheckedCircuitOptions, type CircuitOptions, checkCircuit } from './circuit.js';
import { findHandler, type HandlerRef } from './handler-module.js';

/** A way in which threads take turns on the cores. */
export type SchedulingPolicy = 'other' | 'batch';

/** How handlers are run. */
export interface HandlerOptions {
  /**
   * The handler's module: a URL (`new URL('./handler.js', import.meta.url)`), a `file:` URL or path as a string (paths
   * count from the working directory), or the name of a package. `#name` at a URL's end names the export.
   */
  handler: URL | string;
  /** The name of the export that is the handler; `'default'` unless told. */
  export?: string | undefined;
  /** How many handler threads; one for each core unless told. */
  threads?: number | undefined;
  /** How many asynchronous handlers may run at once in each thread; 16, or 1 where the route has a key, unless told. */
  concurrency?: number | undefined;
  /** How many messages may be taken from the socket and not be done with, in all threads; 256 a thread unless told. */
  maxInFlight?: number | undefined;
  /** How long a handler may take, in milliseconds; -1, no limit, unless told. */
  timeout?: number | undefined;
  /**
   * How long after its timeout a handler that blocks its thread is given before the thread is ended and replaced, in
   * milliseconds, -1 for as long as it takes; 1000 unless told.
   */
  grace?: number | undefined;
  /**
   * How long a thread may take until it takes messages, with loading the module and its `setup`, in milliseconds; -1,
   * no limit, unless told. One that takes longer is ended: then `serve` and `pipeline` fail, and later it is a death.
   */
  setupTimeout?: number | undefined;
  /** How often a message is tried again whose thread died; 0 unless told. */
  retries?: number | undefined;
  /**
   * How the system schedules handler threads, on Linux: `'batch'` (SCHED_BATCH) has a thread that gets a message wait
   * for its turn where cores are busy, instead of interrupting whoever runs. Messages gather meanwhile, which raises
   * throughput where short handlers keep all cores busy, and a thread may wait some milliseconds for a core that others
   * keep busy. `'other'`, the system's own, unless told. Elsewhere it has no effect.
   */
  threadSchedulingPolicy?: SchedulingPolicy | undefined;
  /** What happens when threads die again and again. */
  circuit?: CircuitOptions | undefined;
  /** Environment variables of the threads, or `SHARE_ENV`. As for `Worker`. */
  env?: NodeJS.ProcessEnv | typeof SHARE_ENV | undefined;
  /** `workerData` in the threads: anything that can be cloned. */
  workerData?: unknown;
  /** Memory limits of each thread. As for `Worker`. */
  resourceLimits?: ResourceLimits | undefined;
  /** Options of node for the threads. As for `Worker`. */
  execArgv?: string[] | undefined;
}

export const HANDLER_OPTION_NAMES = [
  'handler',
  'export',
  'threads',
  'concurrency',
  'maxInFlight',
  'timeout',
  'grace',
  'setupTimeout',
  'retries',
  'threadSchedulingPolicy',
  'circuit',
  'env',
  'workerData',
  'resourceLimits',
  'execArgv',
] as const satisfies readonly (keyof HandlerOptions)[];

/** The same, with nothing left open. */
export interface CheckedHandlerOptions {
  readonly handler: HandlerRef;
  readonly threads: number;
  readonly concurrency: number;
  readonly maxInFlight: number;
  readonly timeout: number;
  readonly grace: number;
  readonly setupTimeout: number;
  readonly retries: number;
  readonly batch: boolean;
  readonly circuit: CheckedCircuitOptions;
  readonly worker: Pick<HandlerOptions, 'env' | 'workerData' | 'resourceLimits' | 'execArgv'>;
}

const RESOURCE_LIMITS = [
  'maxYoungGenerationSizeMb',
  'maxOldGenerationSizeMb',
  'codeRangeSizeMb',
  'stackSizeMb',
] as const satisfies readonly (keyof ResourceLimits)[];
const MOST_THREADS = 1024;
const MOST_IN_FLIGHT = 1_000_000;

/** @throws {@link ArgumentError} */
export function checkHandlerOptions(options: HandlerOptions, byKey: boolean): CheckedHandlerOptions {
  const { threads = availableParallelism(), concurrency = byKey ? 1 : 16, retries = 0 } = options;
  const { timeout = -1, grace = 1000, setupTimeout = -1 } = options;
  count('threads', threads, 1, MOST_THREADS);
  const { maxInFlight = 256 * threads } = options;
  return {
    handler: findHandler(options.handler, options.export),
    threads,
    concurrency: count('concurrency', concurrency, 1, MOST_IN_FLIGHT),
    maxInFlight: count('maxInFlight', maxInFlight, 1, MOST_IN_FLIGHT),
    timeout: checkTimeout(timeout),
    grace: checkTimeout(grace, 'grace'),
    setupTimeout: checkTimeout(setupTimeout, 'setupTimeout'),
    retries: count('retries', retries, 0, 1000),
    batch: checkPolicy(options.threadSchedulingPolicy),
    circuit: checkCircuit(options.circuit),
    worker: checkWorkerOptions(options),
  };
}

/** What Workers take, where they say nothing of what they do not take. */
function checkWorkerOptions(options: HandlerOptions): CheckedHandlerOptions['worker'] {
  const { env, workerData, resourceLimits, execArgv } = options;
  if (
    execArgv !== undefined &&
    !(Array.isArray(execArgv) && execArgv.every((arg) => typeof arg === 'string'))
  )
    throw argumentError('execArgv', 'an array of strings', execArgv);
  if (env !== undefined && env !== SHARE_ENV && (typeof env !== 'object' || env === null))
    throw argumentError('env', 'an object, or SHARE_ENV', env);
  if (resourceLimits !== undefined) {
    if (typeof resourceLimits !== 'object' || resourceLimits === null)
      throw argumentError('resourceLimits', 'an object', resourceLimits);
    checkNames('resourceLimits', resourceLimits, RESOURCE_LIMITS);
    for (const [name, limit] of Object.entries(resourceLimits) as [string, unknown][]) {
      if (limit !== undefined && !(typeof limit === 'number' && limit > 0))
        throw argumentError(`resourceLimits.${name}`, 'a positive number of megabytes', limit);
    }
  }
  return {
    ...(env !== undefined && { env }),
    ...(workerData !== undefined && { workerData }),
    ...(resourceLimits !== undefined && { resourceLimits }),
    ...(execArgv !== undefined && { execArgv }),
  };
}

/** What the first Worker threw because of its options, in terms of these. */
export function workerOptionError(cause: unknown): unknown {
  const { name, code, message } = cause as { name?: unknown; code?: unknown; message?: unknown };
  if (name === 'DataCloneError')
    return new ArgumentError(`workerData: expected what can be cloned, but ${message}`, { cause });
  if (code === 'ERR_WORKER_INVALID_EXEC_ARGV')
    return new ArgumentError(`execArgv: expected options of node for Workers: ${message}`, { cause });
  return cause;
}

/** @throws {@link ArgumentError} unless they are an object, or undefined: spread, anything else would do nothing */
export function checkSocketOptions(name: string, options: unknown): void {
  if (options !== undefined && (typeof options !== 'object' || options === null || Array.isArray(options)))
    throw argumentError(name, 'an object', options);
}

function checkPolicy(policy: unknown = 'other'): boolean {
  if (policy !== 'other' && policy !== 'batch') {
    throw argumentError('threadSchedulingPolicy', "'other' or 'batch'", policy);
  }
  return policy === 'batch';
}

function count(name: string, value: unknown, least: number, most: number): number {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    throw argumentError(name, `an integer from ${least} to ${most}`, value);
  }
  return value as number;
}

/** @returns a list of endpoints. @throws {@link ArgumentError} unless they are strings */
export function checkEndpoints(name: string, value: unknown): readonly string[] {
  if (value === undefined) return [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  for (const endpoint of list) {
    if (typeof endpoint !== 'string') throw argumentError(name, 'an endpoint or an array of them', value);
  }
  return list as string[];
}
