/** What `on`, `once` and `off` of the event streams check. */
import { argumentError } from './errors.js';

/** @throws {@link ArgumentError} for an unknown type or a listener that is no function */
export function checkListener(types: ReadonlySet<string>, type: unknown, listener: unknown): void {
  if (typeof type !== 'string' || !types.has(type)) {
    throw argumentError('type', `one of ${[...types].join(', ')}`, type);
  }
  if (typeof listener !== 'function') throw argumentError('listener', 'a function', listener);
}
