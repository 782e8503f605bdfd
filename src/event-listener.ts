/** Listeners of the application: what `on`, `once` and `off` of the event streams check, and how they are called. */
import { argumentError } from './errors.js';

/** @throws {@link ArgumentError} for an unknown type or a listener that is no function */
export function checkListener(types: ReadonlySet<string>, type: unknown, listener: unknown): void {
  if (typeof type !== 'string' || !types.has(type)) {
    throw argumentError('type', `one of ${[...types].join(', ')}`, type);
  }
  if (typeof listener !== 'function') throw argumentError('listener', 'a function', listener);
}

/**
 * Calls listeners of the application. One that throws is an uncaught exception, as it is with any emitter, and stops
 * nothing of what is going on here.
 */
export function tellListeners(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
