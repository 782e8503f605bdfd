/** A thousand sockets served by one I/O worker: all work, and cost next to nothing while they are idle. */
import { expect, test } from 'vitest';

import { runNode } from './peers/index.js';

const COUNT = 1000;

test(`${COUNT} sockets on one I/O worker`, async () => {
  const result = await runNode(
    `
    import { readdirSync } from 'node:fs';
    import { Context, Poller, Pull, Push } from 'zeromq-threads';
    const count = ${COUNT};
    const threads = () => readdirSync('/proc/self/task').length;
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const context = new Context({ maxSockets: 5000 });
    const push = new Push({ context, sendHighWaterMark: 0 });
    push.bind('inproc://all');

    // Everything that there is only one of.
    const first = new Pull({ context });
    first.connect('inproc://all');
    // A poller needs the I/O worker at once, and does not return before it runs.
    const poller = new Poller([first]);
    const readable = poller.wait();
    await push.send('x');
    await readable;
    poller.close();
    await first.recv();
    first.close();
    gc();
    const threadsBefore = threads();
    const memoryBefore = process.memoryUsage.rss();

    const pulls = Array.from({ length: count }, () => {
      const pull = new Pull({ context });
      pull.connect('inproc://all');
      return pull;
    });
    const receive = () => pulls.map((pull) => pull.recv());
    let waiting = receive();
    await pause(300);
    gc();
    const bytesPerSocket = Math.round((process.memoryUsage.rss() - memoryBefore) / count);
    const threadsMeanwhile = threads();

    const cpuBefore = process.cpuUsage();
    await pause(2000);
    const { user, system } = process.cpuUsage(cpuBefore);
    const idleMilliseconds = (user + system) / 1000;

    const begun = performance.now();
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < count; n += 1) await push.send('round ' + round);
      const texts = (await Promise.all(waiting)).map(String);
      if (texts.some((text) => text !== 'round ' + round)) throw new Error('round ' + round + ': ' + texts);
      waiting = receive();
    }
    const roundMilliseconds = (performance.now() - begun) / 3;

    const loops = Promise.allSettled(waiting);
    for (const pull of pulls) pull.close();
    const rejected = (await loops).filter(({ reason }) => reason?.name === 'SocketClosedError').length;
    await context.close();
    console.log(JSON.stringify({
      bytesPerSocket, idleMilliseconds, roundMilliseconds, rejected, threadsBefore, threadsMeanwhile,
    }));
    `,
    [],
    { step: `${COUNT} sockets`, nodeArgs: ['--expose-gc'], timeout: 25_000 },
  );
  expect(result).toMatchObject({ code: 0, signal: null, stderr: '' });
  const figures = JSON.parse(result.lines[0]!);
  console.log(
    `${COUNT} idle sockets: ${(figures.bytesPerSocket / 1024).toFixed(1)} KiB each, ` +
      `${figures.idleMilliseconds.toFixed(1)} ms of CPU in 2 s; a message to each of them: ` +
      `${figures.roundMilliseconds.toFixed(1)} ms`,
  );
  expect(figures.threadsMeanwhile, 'threads').toBe(figures.threadsBefore);
  expect(figures.idleMilliseconds, 'CPU time in 2 s').toBeLessThan(300);
  expect(figures.bytesPerSocket, 'bytes per idle socket').toBeLessThan(128 * 1024);
  expect(figures.rejected, 'receives that end with their sockets').toBe(COUNT);
});

test('one message to one of many: only that one is served', async () => {
  const result = await runNode(
    `
    import { Context, Pull, Push, Router, Dealer } from 'zeromq-threads';
    const count = 500;
    const context = new Context({ maxSockets: 5000 });
    const router = new Router({ context, mandatory: true });
    router.bind('inproc://router');
    const dealers = Array.from({ length: count }, (_, index) => {
      const dealer = new Dealer({ context, routingId: 'd' + index });
      dealer.connect('inproc://router');
      return dealer;
    });
    const got = Array.from({ length: count }, () => 0);
    const loops = dealers.map(async (dealer, index) => {
      for await (const [frame] of dealer) {
        if (String(frame) !== 'for ' + index) throw new Error(index + ' got ' + frame);
        got[index] += 1;
        await dealer.send('answer of ' + index);
      }
    });
    for (let n = 0; n < 2 * count; n += 1) {
      const index = (n * 37) % count;
      await router.send(['d' + index, 'for ' + index]);
      const [id, answer] = await router.recvMultipart({ timeout: 5000 });
      if (String(id) !== 'd' + index || String(answer) !== 'answer of ' + index) throw new Error(id + ': ' + answer);
    }
    if (got.some((times) => times !== 2)) throw new Error(String(got));
    await context.close();
    await Promise.all(loops);
    `,
    [],
    { step: 'one of many', timeout: 25_000 },
  );
  expect(result).toMatchObject({ code: 0, signal: null, stderr: '' });
});
