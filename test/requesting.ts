/** Requesters for tests: closed when the test ends. */
import { onTestFinished } from 'vitest';
import { Requester, type RequesterOptions } from 'zeromq-threads';

/** More than enough for any machine: no test waits for it. */
export const PATIENT = 20_000;

export function requesterOf(options: RequesterOptions): Requester {
  const requester = new Requester(options);
  onTestFinished(() => requester.close());
  return requester;
}
