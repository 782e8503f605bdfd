/** serve() behind a broker, on one host: who asks, and what becomes of requests whose worker is gone. */
import { expect, test } from 'vitest';

import { Dealer, Reply, Request, Requester, Router } from 'zeromq-threads';

import { within } from './bounded.js';
import { ofTest } from './linked.js';
import { moduleFile, startPeer } from './peers/index.js';
import { proxied, terminated } from './proxies.js';
import { start } from './serving.js';

const worker = async (back: string, source = 'export default (frames) => frames;') =>
  (await start({ bind: undefined, connect: back, handler: moduleFile(source), threads: 1 } as never)).server;

test.each(['c', 'python'] as const)('%s peers ask several workers through the broker', async (language) => {
  const { broker, front, back } = proxied(new Router(), new Dealer());
  const workers = [await worker(back), await worker(back)];
  const options = { connect: front, count: 300, shapes: [[1], [0, 70, 3], [40_000]] };
  const many = { connect: front, count: 300, sizes: [9, 0, 3000], unordered: true };
  const clients = [
    await startPeer(language, 'request', options),
    await startPeer(language, 'request', { ...many, type: 'DEALER', delimiter: true, window: 20 }),
  ];
  for (const client of clients)
    expect(await client.result()).toMatchObject({ ok: true, sent: 300, received: 300 });
  const shares = workers.map((server) => server.stats().handled);
  expect(shares[0]! + shares[1]!).toBe(600);
  expect(Math.min(...shares), 'both took part').toBeGreaterThan(0);
  expect((await terminated(broker)).backend).toMatchObject({ messagesIn: 600, messagesOut: 600 });
});

test('a REQ socket with relaxed and correlate asks again, and takes no answer to what it asked before', async () => {
  const { front, back } = proxied(new Router(), new Dealer());
  const slow = ofTest(new Reply());
  slow.connect(back);
  const client = ofTest(new Request({ relaxed: true, correlate: true, linger: 0 }));
  client.connect(front);
  await client.send('first');
  expect(await within('the slow worker has the request', slow.recv('utf8'))).toBe('first');
  await expect(client.recv({ timeout: 50 })).rejects.toThrow('timed out');

  await slow.send('late');
  await client.send('second');
  expect(await within('the slow worker has the next', slow.recv('utf8'))).toBe('second');
  await slow.send('in time');
  expect(await within('the answer', client.recv('utf8'))).toBe('in time');
});

test('what a worker took with it is asked again of another', async () => {
  const { front, back } = proxied(new Router(), new Dealer());
  const dying = await startPeer('c', 'echo', { type: 'REP', connect: back });
  const requester = new Requester({ connect: front, timeout: 300, retries: 80 });
  expect(String(await within('the first answer', requester.request('first')))).toBe('first');
  process.kill(dying.pid, 'SIGSTOP');
  const waiting = Array.from({ length: 10 }, (_, n) => requester.request(`request ${n}`));
  await worker(back);
  await dying.kill();
  const answers = await within('all answers', Promise.all(waiting), 25_000);
  expect(answers.map(String)).toEqual(Array.from({ length: 10 }, (_, n) => `request ${n}`));
  expect(requester.stats()).toMatchObject({ timedOut: 0, failed: 0 });
  requester.close();
});
