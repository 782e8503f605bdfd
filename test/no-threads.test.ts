/**
 * What a socket has accepted is not lost where no thread is to be had that sends it: a library that is preloaded has the
 * system refuse them.
 */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

import { CACHE_DIR, plainEnvironment } from './peers/build.js';
import { runNode } from './peers/index.js';

const SOURCE = fileURLToPath(new URL('./hostile/no-threads.c', import.meta.url));

/**
 * Does `what` while a proxy's first messages are here: after `refuse()` no thread is to be had, until `allow()`. Then all
 * must come out in order. @returns what was printed
 */
async function linesOf(what: string): Promise<string[]> {
  mkdirSync(CACHE_DIR, { recursive: true });
  const name = join(CACHE_DIR, `no-threads-${randomUUID()}`);
  const [library, file] = [`${name}.so`, `${name}.flag`];
  onTestFinished(() => {
    for (const path of [library, file]) rmSync(path, { force: true });
  });
  const flags = ['-shared', '-fPIC', '-D_GNU_SOURCE', SOURCE, '-o', library, '-ldl'];
  execFileSync(process.env.CC || 'cc', flags, { env: plainEnvironment() });
  const script = `
    import { rmSync, writeFileSync } from 'node:fs';
    import { Worker } from 'node:worker_threads';
    import { Pair, proxy, Pull, Push } from 'zeromq-threads';
    const refuse = () => writeFileSync(process.env.NO_THREADS_WHILE, '');
    const allow = () => rmSync(process.env.NO_THREADS_WHILE);
    const [source, pull, push, sink] = [new Push(), new Pull(), new Push(), new Pull()];
    const count = 1000;
    let taken = 0;
    const next = async (socket) => {
      const got = String(await socket.recv());
      if (got !== String(taken++)) throw new Error(got + ' is out of order');
    };
    source.connect(pull.bind('tcp://127.0.0.1:*'));
    for (let n = 0; n < count; n += 1) await source.send(String(n));
    while (taken < 100) await next(pull); // others are received ahead, and the first that a proxy moves
    ${what}
    sink.connect(push.bind('tcp://127.0.0.1:*'));
    await push.send('last');
    const before = taken;
    for (let got = String(await sink.recv()); got !== 'last'; got = String(await sink.recv())) {
      if (got !== String(taken++)) throw new Error(got + ' is out of order');
    }
    console.log('a proxy had some: ' + (taken > before));
    while (taken < count) await next(pull);
    for (const socket of [source, pull, push, sink]) socket.close();
  `;
  const { code, signal, lines, stderr } = await runNode(script, [], {
    step: 'a process without threads',
    timeout: 20_000,
    env: {
      NO_THREADS_WHILE: file,
      LD_PRELOAD: [process.env.LD_PRELOAD, library].filter(Boolean).join(':'),
    },
  });
  expect({ code, signal }, stderr).toEqual({ code: 0, signal: null });
  return lines;
}

describe.skipIf(process.platform !== 'linux')('where no thread is to be had', () => {
  it('a proxy says so, and what it was to move first is sent by whoever sends next', async () => {
    const lines = await linesOf(`
      refuse();
      try {
        proxy(pull, push);
      } catch ({ message }) {
        console.log(message);
      }
      allow();
    `);
    expect(lines).toEqual([
      expect.stringMatching(/^Cannot run a proxy: .*: no thread is to be had/),
      'a proxy had some: true',
    ]);
  });

  it('a thread that shares the socket ends as ever, and what a proxy left is sent all the same', async () => {
    const lines = await linesOf(`
      const body = \`
        import { parentPort, workerData } from 'node:worker_threads';
        const { Pair, Socket } = await import(workerData.entry);
        const [shared, own] = [Socket.attach(workerData.handle), new Pair()];
        parentPort.on('message', () => {}); // it stays
        parentPort.postMessage(own.share());
      \`;
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(body)), {
        workerData: { handle: push.share(), entry: import.meta.resolve('zeromq-threads') },
      });
      const theirs = Pair.attach(await new Promise((resolve) => worker.once('message', resolve)));
      const end = theirs.recv().catch((error) => error.name);
      await proxy(pull, push).terminate();
      refuse();
      await worker.terminate();
      allow();
      console.log(await end);
    `);
    expect(lines).toEqual(['SocketClosedError', 'a proxy had some: true']);
  });
});
