/** Promises that handlers return, and what merely looks like one: none of it may cost more than its own message. */
import { types } from 'node:util';

const { then: thenOf } = Promise.prototype;

/** What is to be waited for. Of thenables, which may throw or call back twice, the engine makes a promise. */
export function promiseOf(value: unknown): Promise<unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { then } = value as { then?: unknown };
  if (typeof then !== 'function') return undefined;
  // Promises may have a `then` of their own, too.
  return then === thenOf && types.isPromise(value) ? value : new Promise((resolve) => resolve(value));
}

/** As `promise.then(fulfilled, rejected)`, which throws if the promise does not let itself be asked for its class. */
export function whenSettled(
  promise: Promise<unknown>,
  fulfilled: (value: unknown) => void,
  rejected: (reason: unknown) => void,
): void {
  try {
    thenOf.call(promise, fulfilled, rejected);
  } catch (error) {
    rejected(error);
  }
}
