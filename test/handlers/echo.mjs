/** Answers with what it got, and obeys a first frame that says what else to do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { threadId, workerData } from 'node:worker_threads';

let setups = 0;

export function setup() {
  setups += 1;
}

const commands = {
  throw: (text) => {
    throw new RangeError(String(text ?? 'thrown'));
  },
  reject: async (text) => {
    await sleep(1);
    throw Object.assign(new Error(String(text ?? 'rejected')), { code: 'E_MINE' });
  },
  string: () => {
    throw 'only a string';
  },
  exit: (code) => process.exit(Number(code ?? 0)),
  spin: (milliseconds) => {
    const until = performance.now() + Number(milliseconds);
    while (performance.now() < until);
    return 'spun';
  },
  stray: async () => {
    setTimeout(() => {
      throw new Error('stray');
    });
    await sleep(60_000);
  },
  memory: () => {
    const hoard = [];
    for (;;) hoard.push(new Array(100_000).fill(hoard.length));
  },
  sleep: async (milliseconds) => {
    await sleep(Number(milliseconds));
    return 'slept';
  },
  nothing: () => undefined,
  empty: () => [],
  object: () => ({ not: 'sendable' }),
  parts: () => ['a', Buffer.from('b'), 3, null],
  thread: (_, context) => [String(context.thread), String(threadId), String(setups)],
  data: () => JSON.stringify({ workerData, env: process.env.OF_TEST }),
  peer: (_, context) => [String(context.peerAddress), context.routingId, String(context.attempt)],
  // Dies until it was tried so often.
  until: (attempt, context) =>
    context.attempt < Number(attempt) ? process.exit(1) : `at attempt ${context.attempt}`,
  log: (text, context) => {
    context.logger.warn('said', String(text));
    return 'logged';
  },
  signal: (_, context) =>
    new Promise((resolve) => {
      context.signal.addEventListener('abort', () => resolve(`aborted: ${context.signal.reason.name}`));
    }),
};

export default function echo(request, context) {
  const command = commands[String(request[0])];
  return command === undefined ? request : command(request[1], context);
}

export function upper(request) {
  return request.map((frame) => String(frame).toUpperCase());
}

export const notAFunction = 42;
