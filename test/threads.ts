/**
 * Test code that runs in any thread: its source text travels to a Worker, so it may use nothing but its arguments.
 *
 * `Threads` names the parts of the package and of the test kit that such code finds in its first argument.
 */
import { strict as nodeAssert } from 'node:assert';
import { pathToFileURL } from 'node:url';
import { type MessagePort, Worker } from 'node:worker_threads';

import { onTestFinished, test } from 'vitest';
import * as package_ from 'zeromq-threads';

import { isPending, turn, within } from './bounded.js';
import { PACKAGE_ROOT } from './peers/build.js';

type Matcher = RegExp | object | Error | ((error: Error & Record<string, unknown>) => boolean);

/** `node:assert`, with types that need no annotation where it is used. */
interface Assert {
  ok(value: unknown, message?: string): void;
  equal(actual: unknown, expected: unknown, message?: string): void;
  deepEqual(actual: unknown, expected: unknown, message?: string): void;
  fail(message: string): never;
  throws(body: () => unknown, expected: Matcher, message?: string): void;
  rejects(
    promise: Promise<unknown> | (() => Promise<unknown>),
    expected: Matcher,
    message?: string,
  ): Promise<void>;
}

/** What code in any thread finds in its first argument. */
export interface Kit {
  readonly zmq: typeof package_;
  readonly assert: Assert;
  readonly within: typeof within;
  readonly isPending: typeof isPending;
  readonly turn: typeof turn;
  /** Starts another thread. It is terminated when the test ends. */
  spawn<Data>(body: Body<Data>, data: Data): Thread;
}

/** @param port messages to and from the thread that started it */
// biome-ignore lint/suspicious/noExplicitAny: messages and results are whatever the test makes of them
export type Body<Data> = (kit: Kit, data: Data, port: MessagePort) => any;

/** Another thread, as the one that started it sees it. */
export interface Thread {
  post(message: unknown): void;
  /** The next message from it: each is handed out once. Rejects when the thread ends without it. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  message(step: string, milliseconds?: number): Promise<any>;
  /** Its exit code; rejects with what it threw. */
  ended(step: string, milliseconds?: number): Promise<number>;
  /** Ends it as `worker.terminate()` does. */
  terminate(step: string): Promise<number>;
}

type Spawn = <Data>(body: Body<Data>, data: Data) => { thread: Thread; worker: Worker };

/** Makes `spawn`. Its text is part of every Worker's code, so it uses its arguments only. */
function makeSpawn(
  WorkerClass: typeof Worker,
  withinTime: typeof within,
  code: (source: string) => string,
): Spawn {
  return (body, data) => {
    const worker = new WorkerClass(code(String(body)), { eval: true, workerData: data, execArgv: [] });
    const messages: unknown[] = [];
    let wake = (): void => {};
    let exit: number | undefined;
    let failure: unknown;
    worker.on('message', (message) => {
      messages.push(message);
      wake();
    });
    worker.on('error', (error) => {
      failure = error;
      wake();
    });
    worker.on('exit', (status) => {
      exit = status;
      wake();
    });
    const next = async (): Promise<unknown> => {
      while (messages.length === 0) {
        if (failure !== undefined) throw failure;
        if (exit !== undefined) throw new Error(`the thread ended with ${exit} instead`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return messages.shift();
    };
    const end = async (): Promise<number> => {
      while (exit === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (failure !== undefined) throw failure;
      return exit;
    };
    const thread: Thread = {
      post: (message) => worker.postMessage(message),
      message: (step, milliseconds) => withinTime(step, next(), milliseconds),
      ended: (step, milliseconds) => withinTime(step, end(), milliseconds),
      terminate: (step) => withinTime(step, worker.terminate()),
    };
    return { thread, worker };
  };
}

// Imported names are rewritten when a test file is loaded; these stay what they are in the text of a function.
const [withinText, isPendingText, turnText] = [within, isPending, turn].map(String);
const entry = pathToFileURL(`${PACKAGE_ROOT}/dist/bundle/src/index.js`).href;

/** The code of a Worker that runs `source`, which is the text of a {@link Body}. */
function workerCode(source: string): string {
  return `
    const threads = require('node:worker_threads');
    const { strict: assert } = require('node:assert');
    const [withinText, isPendingText, turnText] = ${JSON.stringify([withinText, isPendingText, turnText])};
    const within = ${withinText};
    const isPending = ${isPendingText};
    const turn = ${turnText};
    const makeSpawn = ${makeSpawn};
    const workerCode = ${workerCode};
    const entry = ${JSON.stringify(entry)};
    const spawn = makeSpawn(threads.Worker, within, workerCode);
    import(entry).then((zmq) => {
      const kit = { zmq, assert, within, isPending, turn, spawn: (...args) => spawn(...args).thread };
      return (${source})(kit, threads.workerData, threads.parentPort);
    }).catch((error) => setImmediate(() => { throw error; }));
  `;
}

const spawnWorker = makeSpawn(Worker, within, workerCode);

/** Starts a thread that runs `body`. It is terminated when the test ends. */
export function spawn<Data>(body: Body<Data>, data: Data): Thread {
  const { thread, worker } = spawnWorker(body, data);
  onTestFinished(async () => {
    await worker.terminate();
  });
  return thread;
}

/** The kit for code that runs in the test's own thread. */
export const kit: Kit = { zmq: package_, assert: nodeAssert as Assert, within, isPending, turn, spawn };

/** One test on the main thread and one, of the same name and code, in a Worker. */
export function onBothThreads<Data = undefined>(name: string, body: Body<Data>, data?: Data): void {
  test(`${name} (main thread)`, async () => {
    await body(kit, data as Data, undefined as never);
  });
  test(`${name} (Worker)`, async () => {
    const thread = spawn(body, data as Data);
    await thread.ended('the Worker has run the test', 25_000);
  });
}
