/**
 * Handlers that yield their results: generators of either kind, and whatever else can be iterated over.
 *
 * 1. The handler runs while it is asked for the next result, and that is its time; it waits while a result leaves.
 * 2. From the first result on the message is not tried again: what had left would leave twice.
 * 3. Everything happens in one go as long as nothing has to be waited for.
 */
import type { Work } from './work.js';

/** What the consumer does for it. */
export interface StreamOwner {
  /** The message goes on for longer than this turn of the event loop. */
  hold(work: Work): void;
  /** A result is about to be handed over. */
  begins(work: Work): void;
  /** As `Outlet.part`. */
  part(work: Work, result: unknown): Promise<void> | undefined;
  /** The handler waits for a result to leave. */
  waits(work: Work): void;
  /** It does not any more. @param waited for so many milliseconds */
  goesOn(work: Work, waited: number): void;
  /** There are no more results. */
  ends(work: Work): void;
  fails(work: Work, error: unknown): void;
}

type Results = Iterator<unknown> | AsyncIterator<unknown>;

/** A handler thread's event loop gets a turn after this long, in milliseconds. */
export const TURN_MS = 8;

/** @returns undefined for what is a message itself, or an array of them */
export function resultsOf(value: unknown): Results | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    return undefined;
  }
  const { [Symbol.asyncIterator]: asynchronous, [Symbol.iterator]: synchronous } = value as Partial<
    AsyncIterable<unknown> & Iterable<unknown>
  >;
  if (typeof asynchronous === 'function') return asynchronous.call(value);
  return typeof synchronous === 'function' ? synchronous.call(value) : undefined;
}

/** Takes results until there are no more, or the message is over, because its time is up. */
export async function iterate(work: Work, results: Results, owner: StreamOwner): Promise<void> {
  let turnAt = performance.now() + TURN_MS;
  let begun = false;
  for (;;) {
    let step: IteratorResult<unknown>;
    let done: boolean;
    try {
      const next = results.next();
      if ('then' in next) {
        owner.hold(work);
        step = await next;
      } else {
        step = next;
      }
      done = step.done === true;
    } catch (error) {
      if (!work.over) owner.fails(work, error);
      return;
    }
    if (work.over) break;
    if (done) {
      owner.ends(work);
      return;
    }
    try {
      if (!begun) owner.begins(work);
      begun = true;
      const sent = owner.part(work, step.value);
      if (sent !== undefined) {
        owner.hold(work);
        owner.waits(work);
        const since = performance.now();
        await sent;
        const now = performance.now();
        owner.goesOn(work, now - since);
        turnAt = now + TURN_MS;
      } else if (performance.now() > turnAt) {
        owner.hold(work);
        await new Promise(setImmediate);
        turnAt = performance.now() + TURN_MS;
      }
    } catch (error) {
      work.outlast(); // it comes to its end below, and that may take a while
      if (!work.over) owner.fails(work, error);
      break;
    }
    if (work.over) break;
  }
  end(results);
}

/** What holds files or connections lets go of them. Nobody waits for it: it may be what took too long. */
function end(results: Results): void {
  try {
    const ended = results.return?.();
    if (ended !== undefined && 'then' in ended) ended.then(undefined, () => {});
  } catch {
    // The message is settled; there is nobody to tell.
  }
}
