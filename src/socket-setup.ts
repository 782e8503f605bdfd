/**
 * What a socket's constructor takes besides libzmq's options.
 */
import { Context, context as defaultContext } from './context.js';
import { ArgumentError, argumentError } from './errors.js';
import type { SocketSetup } from './option-types.js';
import { checkFlag } from './pending.js';

export const DEFAULT_PREFETCH = 1024 * 1024;
const LARGEST_PREFETCH = 2 ** 31 - 1;

/**
 * @param given the context that came as an argument of its own, if one did
 * @throws {@link ArgumentError} for a value that does not fit
 */
export function checkSetup(
  given: Context | undefined,
  options: SocketSetup | undefined,
): { context: Context; prefetch: number; dedicatedWorker: boolean } {
  const { context: named, prefetch = DEFAULT_PREFETCH, dedicatedWorker } = options ?? {};
  if (named !== undefined && !(named instanceof Context)) throw argumentError('context', 'a Context', named);
  if (given !== undefined && named !== undefined && named !== given) {
    throw new ArgumentError('context: expected one context, got another one among the options');
  }
  if (!Number.isInteger(prefetch) || prefetch < 1 || prefetch > LARGEST_PREFETCH) {
    throw argumentError('prefetch', `an integer from 1 to ${LARGEST_PREFETCH} (bytes)`, prefetch);
  }
  return {
    prefetch,
    dedicatedWorker: checkFlag('dedicatedWorker', dedicatedWorker),
    // Last: the default context is made here.
    context: given ?? named ?? defaultContext(),
  };
}

/**
 * A PLAIN server whose domain is enforced and not there would have libzmq end the process when somebody connects.
 *
 * @throws {@link ArgumentError} for one
 */
export function checkZapDomain(option: (name: string) => unknown): void {
  try {
    if (option('zapEnforceDomain') !== true) return;
  } catch {
    return; // a libzmq that does not have the option
  }
  if (option('plainServer') !== true || option('zapDomain')) return;
  throw new ArgumentError('zapDomain: expected a domain for a PLAIN server with zapEnforceDomain, got none');
}
