/** How processes and Workers end: in time, with the right status, quietly, and with everything sent that can be. */
import { describe, expect, test } from 'vitest';

import { endings } from './lifecycle/endings.js';
import { type Doing, type End, expectOutcome, runToItsEnd } from './lifecycle/exiting.js';
import { endpoints, runNode, startPeer } from './peers/index.js';

const ENDS: End[] = ['process.exit()', 'natural exit', 'uncaught exception', 'unhandled rejection'];

endings(1);

const UNSENT: [Doing, number][] = [
  ['unsent small messages', 100],
  ['unsent messages by the thousand', 1500],
  ['unsent large messages', 5],
];

describe.each(UNSENT)('with %s (%d)', (doing, count) => {
  test.each(['main', 'Worker'] as const)(
    'to a peer that is there, from the %s thread: they arrive',
    async (thread) => {
      const ends: End[] = thread === 'Worker' ? [...ENDS, 'worker.terminate()'] : ENDS;
      for (const end of ends) {
        const peer = await startPeer('c', 'recv', { bind: endpoints.tcp(), count, any: true });
        // An endless linger, and one that is long enough.
        const linger = end === 'natural exit' ? 5000 : undefined;
        const setup = { end, doing, thread, count, endpoint: peer.endpoint, linger };
        expectOutcome(setup, await runToItsEnd(setup));
        expect((await peer.result()).received, `${end}: what the peer received`).toBe(count);
      }
    },
  );

  test.each([0, 300, undefined])('to a peer that never comes, linger %s', async (linger) => {
    const endpoint = await endpoints.unboundTcp();
    const setups = [
      { end: 'natural exit', thread: 'main' },
      { end: 'process.exit()', thread: 'main' },
      { end: 'uncaught exception', thread: 'main' },
      { end: 'process.exit()', thread: 'Worker' },
      { end: 'worker.terminate()', thread: 'Worker' },
    ] as const;
    await Promise.all(
      setups.map(async (setup) => {
        const whole = { ...setup, doing, count, endpoint, linger };
        expectOutcome(whole, await runToItsEnd(whole));
      }),
    );
  });
});

describe('the process stays', () => {
  const run = (body: string, timeout = 10_000) =>
    runNode(
      `import { Context, Dealer, Poller, Pull, Push, Message } from 'zeromq-threads';
       const pull = new Pull();
       const push = new Push({ linger: 0 });
       const endpoint = pull.bind('tcp://127.0.0.1:*');
       ${body}`,
      [],
      { timeout },
    );
  const ends = { code: 0, signal: null, stderr: '' };

  test('not for sockets that are idle', async () => {
    expect(await run('push.connect(endpoint); new Poller([pull]); console.log("end");')).toMatchObject({
      ...ends,
      stdout: 'end\n',
    });
    expect(
      await run('push.connect(endpoint); await push.send("x"); console.log(String(await pull.recv()));'),
    ).toMatchObject({ ...ends, stdout: 'x\n' });
  });

  test.each([
    ['a receive', 'pull.recv().then(String)'],
    ['a loop', '(async () => { for await (const [frame] of pull) return String(frame); })()'],
    [
      'a loop over batches',
      '(async () => { for await (const batch of pull.batches()) return String(batch.at(0)); })()',
    ],
    ['a poller', 'new Poller([pull]).wait().then(({ socket }) => String(socket.tryRecv()))'],
  ])('for %s, until it has what it waits for', async (_name, operation) => {
    // The timer that sends does not keep the process.
    const result = await run(`
      ${operation}.then((text) => console.log(text));
      push.connect(endpoint);
      setTimeout(() => push.send('late'), 400).unref();
    `);
    expect(result).toMatchObject({ ...ends, stdout: 'late\n' });
  });

  test.each([
    ['a receive', 'pull.recv({ timeout: 300 })'],
    ['a poller', 'new Poller([pull]).wait({ timeout: 300 })'],
    ['a send', 'push.send("x", { timeout: 300 })'],
  ])('for %s, until it times out', async (_name, operation) => {
    const result = await run(`${operation}.catch(({ name }) => console.log(name));`);
    expect(result).toMatchObject({ ...ends, stdout: 'TimeoutError\n' });
  });

  test('for a send, until there is room', async () => {
    const result = await run(`
      push.send('parked').then(() => console.log('sent'));
      setTimeout(() => push.connect(endpoint), 300).unref();
    `);
    expect(result).toMatchObject({ ...ends, stdout: 'sent\n' });
  });

  test('for a context that closes, until it is closed', async () => {
    const result = await run(`
      const context = new Context();
      const sender = new Push({ context, linger: 400 });
      sender.connect('tcp://127.0.0.1:9');
      await sender.send('x');
      context.close().then(() => console.log('closed'));
    `);
    expect(result).toMatchObject({ ...ends, stdout: 'closed\n' });
  });

  test('no longer than what it waited for takes: a cancelled receive, a broken loop, a closed socket', async () => {
    const result = await run(`
      const controller = new AbortController();
      const dealer = new Dealer();
      const waits = [pull.recv({ signal: controller.signal }), dealer.recv(), new Poller([dealer]).wait()];
      setTimeout(() => { controller.abort(); dealer.close(); }, 50);
      console.log((await Promise.allSettled(waits)).map(({ status }) => status).join());
      push.connect(endpoint);
      await push.send('x');
      for await (const _ of pull) break;
    `);
    expect(result).toMatchObject({ ...ends, stdout: 'rejected,rejected,rejected\n' });
  });

  test('and runs other things meanwhile', async () => {
    const result = await run(`
      let ticks = 0;
      const timer = setInterval(() => { ticks += 1; }, 10);
      push.connect(endpoint);
      setTimeout(() => push.send('x'), 300);
      await pull.recv();
      clearInterval(timer);
      console.log(ticks > 5);
    `);
    expect(result).toMatchObject({ ...ends, stdout: 'true\n' });
  });
});
