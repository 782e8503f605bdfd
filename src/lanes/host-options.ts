/** Options that `serve` and `pipeline` have in common, checked. */
import { availableParallelism } from 'node:os';
import type { ResourceLimits } from 'node:worker_threads';
import { argumentError } from '../errors.js';
import { checkTimeout } from '../pending.js';
import { type CircuitOptions, checkCircuit } from './circuit.js';
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
  export?: string;
  /** How many handler threads; one for each core unless told. */
  threads?: number;
  /** How many asynchronous handlers may run at once in each thread; 16, or 1 where the route has a key, unless told. */
  concurrency?: number;
  /** How many messages may be taken from the socket and not be done with, in all threads; 256 a thread unless told. */
  maxInFlight?: number;
  /** How long a handler may take, in milliseconds; -1, no limit, unless told. */
  timeout?: number;
  /**
   * How long after its timeout a handler that blocks its thread is given before the thread is ended and replaced, in
   * milliseconds; 1000 unless told.
   */
  grace?: number;
  /** How often a message is tried again whose thread died; 0 unless told. */
  retries?: number;
  /**
   * How the system schedules handler threads, on Linux: `'batch'` (SCHED_BATCH) has a thread that gets a message wait
   * for its turn where cores are busy, instead of interrupting whoever runs. Messages gather meanwhile, which raises
   * throughput where short handlers keep all cores busy, and a thread may wait some milliseconds for a core that others
   * keep busy. `'other'`, the system's own, unless told. Elsewhere it has no effect.
   */
  threadSchedulingPolicy?: SchedulingPolicy;
  /** What happens when threads die again and again. */
  circuit?: CircuitOptions;
  /** Environment variables of the threads. As for `Worker`. */
  env?: NodeJS.ProcessEnv;
  /** `workerData` in the threads: anything that can be cloned. */
  workerData?: unknown;
  /** Memory limits of each thread. As for `Worker`. */
  resourceLimits?: ResourceLimits;
  /** Options of node for the threads. As for `Worker`. */
  execArgv?: string[];
}

export const HANDLER_OPTION_NAMES = [
  'handler',
  'export',
  'threads',
  'concurrency',
  'maxInFlight',
  'timeout',
  'grace',
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
  readonly retries: number;
  readonly batch: boolean;
  readonly circuit: Required<CircuitOptions>;
  readonly worker: Pick<HandlerOptions, 'env' | 'workerData' | 'resourceLimits' | 'execArgv'>;
}

const MOST_THREADS = 1024;
const MOST_IN_FLIGHT = 1_000_000;

/** @throws {@link ArgumentError} */
export function checkHandlerOptions(options: HandlerOptions, byKey: boolean): CheckedHandlerOptions {
  const { env, workerData, resourceLimits, execArgv } = options;
  const threads = count('threads', options.threads ?? availableParallelism(), 1, MOST_THREADS);
  if (execArgv !== undefined && !Array.isArray(execArgv))
    throw argumentError('execArgv', 'an array of strings', execArgv);
  for (const [name, value] of Object.entries({ env, resourceLimits })) {
    if (value !== undefined && (typeof value !== 'object' || value === null)) {
      throw argumentError(name, 'an object', value);
    }
  }
  return {
    handler: findHandler(options.handler, options.export),
    threads,
    concurrency: count('concurrency', options.concurrency ?? (byKey ? 1 : 16), 1, MOST_IN_FLIGHT),
    maxInFlight: count('maxInFlight', options.maxInFlight ?? 256 * threads, 1, MOST_IN_FLIGHT),
    timeout: checkTimeout(options.timeout ?? -1),
    grace: Math.max(0, checkTimeout(options.grace ?? 1000, 'grace')),
    retries: count('retries', options.retries ?? 0, 0, 1000),
    batch: checkPolicy(options.threadSchedulingPolicy),
    circuit: checkCircuit(options.circuit),
    worker: {
      ...(env !== undefined && { env }),
      ...(workerData !== undefined && { workerData }),
      ...(resourceLimits !== undefined && { resourceLimits }),
      ...(execArgv !== undefined && { execArgv }),
    },
  };
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
