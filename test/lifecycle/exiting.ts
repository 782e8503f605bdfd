/** Processes that end in one way or another, in the midst of one thing or another. Short and long runs share this. */
import { expect } from 'vitest';

import { moduleFile, startNode } from '../peers/index.js';

/** How a process, or a Worker in it, comes to its end. */
export type End =
  | 'process.exit()'
  | 'natural exit'
  | 'uncaught exception'
  | 'unhandled rejection'
  /** Of the Worker, by the main thread; which then ends by itself. */
  | 'worker.terminate()';

/** What the thread with the sockets is in the midst of. */
export type Doing =
  | 'nothing'
  | 'receives pending'
  | 'recvSync'
  | 'recvMultipartSync'
  | 'sendSync'
  | 'waitSync'
  | 'traffic'
  | 'a proxy under load'
  | 'a paused proxy'
  | 'unsent small messages'
  | 'unsent messages by the thousand'
  | 'unsent large messages';

export interface Setup {
  end: End;
  doing: Doing;
  /** The thread that has the sockets, and in which the end happens. */
  thread: 'main' | 'Worker';
  /** Of sockets with unsent messages, in milliseconds; undefined leaves the default. */
  linger?: number | undefined;
  /** Where unsent messages are to go to. */
  endpoint?: string;
  /** How many messages. */
  count?: number;
}

/** What the process grants to messages of sockets with an endless linger, in milliseconds. */
const ENDLESS_LINGER = 1000;
/** How much longer than its linger a process may take, in milliseconds. */
const GRACE = 1000;

const script = `
import { writeSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Context, Dealer, Message, Poller, proxy, Pull, Push } from 'zeromq-threads';

const setup = JSON.parse(process.argv[2]);
const tell = (line) => writeSync(1, line + '\\n');

async function work() {
  const { doing, linger, endpoint, count } = setup;
  const options = linger === undefined ? {} : { linger };
  const unsent = async (socketOptions, payload) => {
    const push = new Push({ ...options, ...socketOptions });
    push.connect(endpoint);
    for (let n = 0; n < count; n += 1) await push.send(payload(n));
    globalThis.kept = push;
  };
  switch (doing) {
    case 'nothing': {
      const [pull, push] = [new Pull(), new Push()];
      push.connect(pull.bind('tcp://127.0.0.1:*'));
      await push.send('x');
      await pull.recv();
      return;
    }
    case 'receives pending': {
      const dealer = new Dealer({ linger: 0 });
      const pull = new Pull();
      pull.bind('tcp://127.0.0.1:*');
      const ignore = () => {};
      void dealer.recv().catch(ignore);
      void dealer.recvMultipart({ timeout: 60_000 }).catch(ignore);
      void dealer.send('nobody is there').catch(ignore);
      void dealer.send(new Uint8Array(new SharedArrayBuffer(1 << 20))).catch(ignore);
      void (async () => { for await (const frames of pull); })();
      void new Poller([{ socket: new Dealer(), readable: true, writable: true }]).wait().catch(ignore);
      await new Promise(setImmediate);
      return;
    }
    case 'traffic': {
      const context = new Context();
      const [pull, push, dealer, other] = [
        new Pull({ context }), new Push({ context, linger: 0 }), new Dealer({ context, linger: 0 }), new Dealer({ context, linger: 0 }),
      ];
      push.connect(pull.bind('tcp://127.0.0.1:*'));
      other.connect(dealer.bind('inproc://traffic'));
      const large = Message.alloc(100_000);
      let received = 0;
      void (async () => { for (;;) await push.send(['abc', Buffer.alloc(2000)]); })();
      void (async () => { for (;;) { await large.freed; await other.send(large); } })();
      void (async () => { for await (const batch of dealer.batches()) received += batch.length; })();
      for await (const frames of pull) { received += 1; if (received > 500) break; }
      void (async () => { for await (const frames of pull) received += frames.length; })();
      return;
    }
    case 'a proxy under load':
    case 'a paused proxy': {
      const [frontend, backend, capture] = [new Pull(), new Push({ linger: 0 }), new Push({ linger: 0 })];
      const [push, pull, captured] = [new Push({ linger: 0 }), new Pull(), new Pull()];
      push.connect(frontend.bind('tcp://127.0.0.1:*'));
      pull.connect(backend.bind('inproc://proxied'));
      captured.connect(capture.bind('tcp://127.0.0.1:*'));
      const broker = proxy(frontend, backend, { capture });
      void (async () => { for (;;) await push.send(['abc', Buffer.alloc(2000)]); })();
      void (async () => { for await (const _ of captured); })();
      let received = 0;
      for await (const frames of pull) { received += 1; if (received > 500) break; }
      if (doing === 'a paused proxy') broker.pause();
      else void (async () => { for await (const frames of pull) received += frames.length; })();
      return;
    }
    case 'unsent small messages':
      return unsent({}, (n) => 'message ' + n);
    case 'unsent messages by the thousand':
      return unsent({ sendHighWaterMark: count + 500 }, (n) => 'message ' + n);
    case 'unsent large messages':
      return unsent({}, () => new Uint8Array(new SharedArrayBuffer(1 << 20)));
  }
}

function block() {
  const dealer = new Dealer({ linger: 0 });
  switch (setup.doing) {
    case 'recvSync': return dealer.recvSync();
    case 'recvMultipartSync': return dealer.recvMultipartSync();
    case 'sendSync': return dealer.sendSync('nobody is there');
    case 'waitSync': return new Poller([dealer]).waitSync();
  }
}
const blocking = ['recvSync', 'recvMultipartSync', 'sendSync', 'waitSync'].includes(setup.doing);

function end() {
  tell('ending');
  switch (setup.end) {
    case 'process.exit()': process.exit(7); break;
    case 'uncaught exception': setImmediate(() => { throw new Error('on purpose'); }); break;
    case 'unhandled rejection': void Promise.reject(new Error('on purpose')); break;
  }
}

if (!isMainThread) {
  if (blocking) {
    parentPort.postMessage('busy');
    block();
  } else {
    await work();
    if (setup.end === 'worker.terminate()') {
      setInterval(() => {}, 1000); // it does not end by itself
      parentPort.postMessage('busy');
    }
    else setTimeout(end, setup.delay ?? 0);
  }
} else if (setup.thread === 'Worker') {
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) });
  worker.on('exit', (code) => tell('Worker exit ' + code));
  worker.on('error', (error) => tell('Worker error ' + error.message));
  worker.on('message', () => {
    // Late enough for it to block most of the time.
    setTimeout(() => {
      if (setup.end === 'worker.terminate()') {
        tell('ending');
        void worker.terminate();
      } else end();
    }, setup.delay ?? 0);
  });
} else {
  await work();
  setTimeout(end, setup.delay ?? 0);
}
`;

let file: URL | undefined;

export interface Outcome {
  code: number | null;
  signal: string | null;
  stderr: string;
  lines: string[];
  /** From the beginning of the end to the last moment of the process, in milliseconds. */
  took: number;
}

/** Runs the process to its end and checks all that has to be so however it ends. */
export async function runToItsEnd(setup: Setup & { delay?: number }): Promise<Outcome> {
  file = moduleFile(script);
  const name = `${setup.end} in the ${setup.thread}, ${setup.doing}, linger ${setup.linger}`;
  const child = startNode(file, [JSON.stringify(setup)], { step: name });
  child.endInput();
  await child.waitFor('it is busy, and about to end', 10_000, ({ lines }) =>
    lines.includes('ending') ? true : undefined,
  );
  const begun = performance.now();
  const linger = setup.linger === undefined || setup.linger < 0 ? ENDLESS_LINGER : setup.linger;
  const { code, signal } = await child.waitForExit('the process is gone', linger + 10_000);
  const took = performance.now() - begun;
  expect(signal, `${name}\n${child.stderr}`).toBe(null);
  expect(took, `${name}: time to end\n${child.stderr}`).toBeLessThan(linger + GRACE);
  return { code, signal, stderr: child.stderr, lines: child.lines, took };
}

/** Checks how the process ended: by its status, and by what it printed. */
export function expectOutcome(setup: Setup, outcome: Outcome): void {
  const { code, stderr, lines } = outcome;
  const name = `${setup.end} in the ${setup.thread}, ${setup.doing}`;
  const lost = /messages were still unsent 1000 ms after exit began/;
  let rest = stderr;
  if (setup.thread === 'Worker' && !isBlocking(setup)) {
    expect(code, `${name}\n${stderr}`).toBe(0);
    const expected = {
      'process.exit()': ['Worker exit 7'],
      'natural exit': ['Worker exit 0'],
      'uncaught exception': ['Worker error on purpose', 'Worker exit 1'],
      'unhandled rejection': ['Worker error on purpose', 'Worker exit 1'],
      'worker.terminate()': ['Worker exit 1'],
    }[setup.end];
    expect(lines, name).toEqual(['ending', ...expected]);
  } else if (setup.end === 'worker.terminate()') {
    expect(code, `${name}\n${stderr}`).toBe(0);
    expect(lines, name).toEqual(['ending', 'Worker exit 1']);
  } else {
    const thrown = setup.end === 'uncaught exception' || setup.end === 'unhandled rejection';
    expect(code, `${name}\n${stderr}`).toBe(thrown ? 1 : setup.end === 'process.exit()' ? 7 : 0);
    expect(lines[0], name).toBe('ending');
    if (thrown) {
      expect(stderr, name).toMatch(/Error: on purpose/);
      rest = rest.replace(/^[\s\S]*Error: on purpose[\s\S]*?Node\.js v[\d.]+\n/m, '');
    }
  }
  const losing = setup.doing.startsWith('unsent') && (setup.linger === undefined || setup.linger < 0);
  if (losing && setup.endpoint !== undefined) rest = rest.replace(new RegExp(`.*${lost.source}.*\n`), '');
  expect(rest, `${name}: nothing else on stderr`).toBe('');
}

export function isBlocking({ doing }: Pick<Setup, 'doing'>): boolean {
  return ['recvSync', 'recvMultipartSync', 'sendSync', 'waitSync'].includes(doing);
}

/** As {@link runToItsEnd} and {@link expectOutcome}, `times` times, at different moments, two processes at a time. */
export async function endManyTimes(setup: Setup, times: number): Promise<void> {
  let begun = 0;
  const runner = async (): Promise<void> => {
    while (begun < times) {
      const delay = begun % 20;
      begun += 1;
      expectOutcome(setup, await runToItsEnd({ ...setup, delay }));
    }
  };
  await Promise.all([runner(), runner()]);
}
