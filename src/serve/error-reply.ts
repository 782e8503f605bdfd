/** What is answered when a handler fails. */
import { encodePart, type Sendable } from '../encode.js';
import { asError } from '../lanes/wire-error.js';

/** What a handler's failure is answered with; undefined for nothing. */
export type ErrorReply = (error: Error, request: Buffer[]) => Sendable | readonly Sendable[] | undefined;

/** One frame of JSON: `{"error":{"name":"RangeError","message":"...","code":"..."}}`, the code where there is one. */
export function defaultErrorReply(error: Error): string {
  const { code } = error as { code?: unknown };
  return JSON.stringify({
    error: { name: error.name, message: error.message, ...(typeof code === 'string' && { code }) },
  });
}

/** A result as the frames of a reply. Nothing is one empty frame: a REQ peer waits for something. */
export function framesOf(result: unknown): Sendable[] {
  if (result === undefined) return [''];
  return (Array.isArray(result) ? result : [result]) as Sendable[];
}

/** @throws {@link ArgumentError} for what cannot be sent */
export function checkReply(result: unknown): void {
  if (!Array.isArray(result)) encodePart(result, 'the reply');
  else for (const [index, frame] of result.entries()) encodePart(frame, `the reply[${index}]`);
}

/** The frames of an answer to a failure, undefined for none. A wording that fails itself is what is answered with. */
export function wordedReply(wording: ErrorReply, error: Error, request: Buffer[]): Sendable[] | undefined {
  try {
    const worded = wording(error, request);
    if (worded === undefined) return undefined;
    return framesOf(worded).map((frame) => encodePart(frame, 'The error reply'));
  } catch (second) {
    return [defaultErrorReply(asError(second))];
  }
}
