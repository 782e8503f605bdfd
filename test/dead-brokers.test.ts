/** Who is at its receive high-water mark when its peer is killed, or busy for long: it lives, and loses nothing else. */
import { expect, onTestFinished, test } from 'vitest';
import { Requester } from 'zeromq-threads';

import { within } from './bounded.js';
import { linesHandler, startLine } from './lines.js';
import { endpoints, type LineProcess, moduleFile, startNode, startPeer } from './peers/index.js';

const PATIENCE = 25_000;

/** It takes seconds for what it has when the broker is killed. */
const SLOW = `
  import { setTimeout } from 'node:timers/promises';
  export default async (frames) => {
    await setTimeout(40);
    return frames;
  };`;

const WORKER = `
  import { serve } from 'zeromq-threads';
  const [connect, handler] = process.argv.slice(2);
  const server = await serve({
    connect, handler, threads: 1, concurrency: 1, maxInFlight: 10, socketOptions: { receiveHighWaterMark: 50 },
  });
  const told = setInterval(() => console.log(server.stats().handled), 50);
  process.once('SIGTERM', async () => {
    clearInterval(told);
    await server.close({ drain: true });
    console.log('closed');
  });`;

const handled = (worker: LineProcess): number => Number(worker.lines.at(-1) ?? 0);

test('a slow worker whose broker is killed under load handles what it has, and serves the next broker', async () => {
  const bind = await endpoints.unboundTcp();
  const worker = startNode(WORKER, [bind, moduleFile(SLOW).href], { step: 'worker' });
  const load = { type: 'DEALER', bind, count: 5000, delimiter: true, size: 50, hwm: 0, stay: true } as const;
  const broker = await startPeer('c', 'send', load);
  await worker.waitFor('it works', PATIENCE, () => handled(worker) > 5 || undefined);
  await broker.kill();

  const next = new Requester({ bind, timeout: PATIENCE });
  onTestFinished(() => next.close());
  let answers: string[] | undefined;
  Promise.all(Array.from({ length: 20 }, (_, n) => next.request(String(n)))).then(
    (all) => (answers = all.map(String)),
    () => {}, // the worker has ended, which fails the test
  );
  const expected = Array.from({ length: 20 }, (_, n) => String(n));
  expect(await worker.waitFor('the next broker has its answers', PATIENCE, () => answers)).toEqual(expected);
  expect(await worker.kill('SIGTERM'), worker.stderr).toMatchObject({ code: 0 });
  expect(worker.lines.at(-1)).toBe('closed');
});

const SERVER = `
  import { Router } from 'zeromq-threads';
  const [bind, count] = process.argv.slice(2);
  const router = new Router({ sendHighWaterMark: 0 });
  router.bind(bind);
  for (let n = 1; ; n++) {
    await router.send(await router.recvMultipart());
    if (n === Number(count)) console.log('all are answered');
  }`;

const CLIENT = `
  import { Requester } from 'zeromq-threads';
  const [connect, count] = process.argv.slice(2);
  const requester = new Requester({ connect, timeout: 1000, retries: 20, receiveHighWaterMark: 10 });
  await requester.request('the connection is there');
  const waiting = Array.from({ length: Number(count) - 1 }, (_, n) => requester.request([String(n), Buffer.alloc(2000)]));
  console.log('asked');
  // An event loop that is busy for seconds.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4000);
  console.log('at leisure');
  const answers = await Promise.all(waiting);
  console.log(answers.every(([text], n) => String(text) === String(n)) ? 'all are right' : 'some are wrong');
  requester.close();`;

test('a busy Requester whose server is killed gets its answers from the next server', async () => {
  const bind = await endpoints.unboundTcp();
  const count = '300';
  const server = startNode(SERVER, [bind, count], { step: 'server' });
  const client = startNode(CLIENT, [bind, count], { step: 'client' });
  await server.waitFor('all are answered', PATIENCE, ({ lines }) => lines[0]);
  await server.kill();
  startNode(SERVER, [bind, count], { step: 'the next server' });
  expect(await client.waitForExit('it has all answers', PATIENCE), client.stderr).toMatchObject({ code: 0 });
  expect(client.lines).toEqual(['asked', 'at leisure', 'all are right']);
});

test('a pipeline loses nothing to a receiver that reads nothing for seconds', async () => {
  // More than the buffers of the operating system hold, too.
  const messages = { count: 44, size: 1_000_000 };
  const receiver = await startPeer('c', 'recv', {
    bind: endpoints.tcp(),
    ...messages,
    hwm: 30, // libzmq takes more once it has read fifteen
    delay: 350,
    unordered: true,
  });
  const { line } = await startLine({
    handler: linesHandler('same'),
    sink: { type: 'PUSH', connect: receiver.endpoint },
  });
  const sender = await startPeer('c', 'send', { connect: line.endpoint, ...messages });
  expect((await within('all are sent', sender.result(), PATIENCE)).sent).toBe(44);
  expect(await within('all are received', receiver.result(), PATIENCE)).toMatchObject({
    ok: true,
    received: 44,
  });
});
