/** The package in many threads of one process at once, and what is left when they end. */
import { describe, expect, test } from 'vitest';
import { Dealer, Router } from 'zeromq-threads';

import { within } from './bounded.js';
import { storm } from './lifecycle/worker-storm.js';
import { ofTest } from './linked.js';
import { endpoints, runNode } from './peers/index.js';
import { onBothThreads, spawn } from './threads.js';

test('the main thread and eight Workers load the package and talk to each other', async () => {
  const router = ofTest(new Router());
  const endpoint = router.bind(endpoints.tcp());
  const threads = Array.from({ length: 8 }, (_, index) =>
    spawn(
      async ({ zmq, assert, within }, { endpoint, index }) => {
        const dealer = new zmq.Dealer({ routingId: `worker-${index}` });
        dealer.connect(endpoint);
        for (let n = 0; n < 50; n += 1) {
          await dealer.send(`${n}`);
          const [reply] = await within(`reply ${n}`, dealer.recvMultipart());
          assert.equal(String(reply), `${n} for worker-${index}`);
        }
        dealer.close();
      },
      { endpoint, index },
    ),
  );
  let handled = 0;
  const serving = (async () => {
    for await (const [id, request] of router) {
      await router.send([id!, `${request} for ${id}`]);
      handled += 1;
      if (handled === 400) break;
    }
  })();
  await Promise.all(threads.map((thread, index) => thread.ended(`Worker ${index} ends`, 20_000)));
  await within('all requests were handled', serving);
});

test('threads of one process meet over inproc in the default context', async () => {
  const dealer = ofTest(new Dealer());
  const endpoint = dealer.bind(endpoints.inproc());
  const threads = Array.from({ length: 4 }, (_, index) =>
    spawn(
      async ({ zmq }, { endpoint, index }) => {
        const push = new zmq.Dealer();
        push.connect(endpoint);
        await push.send(`from ${index}`);
        push.close();
      },
      { endpoint, index },
    ),
  );
  const received = [];
  for (let n = 0; n < 4; n += 1) received.push(String(await within(`message ${n}`, dealer.recv())));
  expect(received.sort()).toEqual(['from 0', 'from 1', 'from 2', 'from 3']);
  await Promise.all(threads.map((thread) => thread.ended('a Worker ends')));
});

describe('a Worker that ends without closing its sockets', () => {
  onBothThreads('leaves nothing that is in the way', async ({ zmq, assert, within, spawn }) => {
    let endpoint = 'tcp://127.0.0.1:*';
    for (let round = 0; round < 10; round += 1) {
      const thread = spawn(
        async ({ zmq }, { endpoint, round }, port) => {
          const pull = new zmq.Pull();
          endpoint = pull.bind(endpoint);
          const context = new zmq.Context();
          const sockets = [pull, new zmq.Router({ context }), new zmq.Subscriber({ context })];
          new zmq.Poller(sockets);
          (globalThis as { kept?: unknown }).kept = sockets;
          port.postMessage(endpoint);
          if (round % 2 === 0) await pull.recv();
        },
        { endpoint, round },
      );
      endpoint = await thread.message(`round ${round}: it is bound`);
      const push = new zmq.Push({ linger: 0 });
      push.connect(endpoint);
      if (round % 2 === 0) await push.send('go');
      await thread.ended(`round ${round}: it ends`);
      push.close();
    }
    // A socket that a Worker shared ends with the Worker that opened it.
    const owner = spawn(async ({ zmq }, _, port) => {
      const pull = new zmq.Pull();
      port.postMessage(pull.share());
      await new Promise((resolve) => port.once('message', resolve));
    }, undefined);
    const socket = zmq.Socket.attach(await owner.message('its socket'));
    const receiving = socket.recv();
    owner.post('end');
    await within('a receive on its socket', assert.rejects(receiving, zmq.SocketClosedError));
    await owner.ended('the owner ends');
    assert.equal(socket.closed, true);
  });
});

test('eight Workers at a time, busy in every way, end at random moments', async () => {
  await storm(4, 1);
});

test('threads and file descriptors are given back with what they were for', async () => {
  const result = await runNode(
    `
    import { readdirSync } from 'node:fs';
    import { Context, Pull, Push, Poller, Router } from 'zeromq-threads';
    const counts = () => [readdirSync('/proc/self/task').length, readdirSync('/proc/self/fd').length];
    async function round() {
      const context = new Context({ ioThreads: 2, ioWorkers: 2 });
      const sockets = Array.from({ length: 20 }, () => new Pull({ context }));
      const senders = sockets.map((pull) => {
        const push = new Push({ context });
        push.connect(pull.bind('tcp://127.0.0.1:*'));
        return push;
      });
      const dedicated = new Router({ context, dedicatedWorker: true });
      const waits = [dedicated.recv(), ...sockets.map((pull) => pull.recv())];
      for (const push of senders) await push.send('x');
      await Promise.all(waits.slice(1));
      const poller = new Poller(sockets);
      const polling = poller.wait();
      const events = dedicated.events;
      void (async () => { for await (const _ of events); })();
      const ends = Promise.allSettled([waits[0], polling]);
      await context.close();
      const outcomes = await ends;
      if (outcomes.some(({ status }) => status !== 'rejected')) throw new Error('expected rejections');
    }
    const settle = async (goal) => {
      let now = counts();
      for (let tries = 0; tries < 200 && !(now[0] <= goal[0] && now[1] <= goal[1]); tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 25));
        now = counts();
      }
      return now;
    };
    const idle = new Pull();
    const poller = new Poller([idle]);
    void poller.wait().catch(() => {}); // which takes the thread's common I/O worker
    for (let n = 0; n < 2; n += 1) await round();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const before = counts();
    for (let n = 0; n < 10; n += 1) await round();
    const after = await settle(before);
    console.log(JSON.stringify({ before, after }));
    poller.close();
    idle.close();
    `,
    [],
    { timeout: 25_000, step: 'contexts that come and go' },
  );
  expect(result).toMatchObject({ code: 0, signal: null, stderr: '' });
  const { before, after } = JSON.parse(result.lines[0]!);
  expect(after[0], `threads: ${result.lines[0]}`).toBeLessThanOrEqual(before[0]);
  expect(after[1], `file descriptors: ${result.lines[0]}`).toBeLessThanOrEqual(before[1]);
});

test('Workers that are the only ones to load the package end while it still has work in the background', async () => {
  const result = await runNode(
    `
    import { once } from 'node:events';
    import { Worker } from 'node:worker_threads';
    const packageUrl = import.meta.resolve('zeromq-threads');
    const body = \`
      import { Push, Pull } from '\${packageUrl}';
      const pull = new Pull();
      const push = new Push({ linger: 200 });
      push.connect(pull.bind('tcp://127.0.0.1:*'));
      await push.send('x');
      await pull.recv();
      const unsent = new Push({ linger: 200 });
      unsent.connect('tcp://127.0.0.1:9');
      await unsent.send('to nobody');
      unsent.close();
    \`;
    for (let n = 0; n < 5; n += 1) {
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(body)));
      const [code] = await once(worker, 'exit');
      if (code !== 0) throw new Error('a Worker ended with ' + code);
      // Longer than it lingers every second time: libzmq's threads end without anybody.
      await new Promise((resolve) => setTimeout(resolve, n % 2 === 0 ? 20 : 300));
    }
    console.log('done');
    `,
    [],
    { step: 'Workers that load the package one after another' },
  );
  expect(result).toMatchObject({ code: 0, signal: null, stderr: '', lines: ['done'] });
});
