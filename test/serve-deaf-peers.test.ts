/** serve() and peers that ask without reading the answers, or brokers that are gone: what others wait for them. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { Dealer, Requester } from 'zeromq-threads';

import { within } from './bounded.js';
import { Hosts, whyNoHosts } from './hosts.js';
import { endpoints, type LineProcess, moduleFile, startNode, startPeer } from './peers/index.js';
import { clientOf, start } from './serving.js';

const PATIENCE = 25_000;
const LONG = 60_000;

/** Answers that are too large for many of them to lie in the operating system's buffers. */
const LARGE = `
  import { setTimeout } from 'node:timers/promises';
  const large = Buffer.alloc(100_000);
  export default async ([text]) => {
    await setTimeout(1);
    return String(text) === 'large' ? large : text;
  };`;

test('a peer that does not read is waited for once, not for each of its replies', async () => {
  const { server, errors } = await start({
    handler: moduleFile(LARGE),
    maxInFlight: 4,
    replyTimeout: 2000,
    socketOptions: { sendHighWaterMark: 2 },
  });
  const deaf = new Dealer({ receiveHighWaterMark: 1, linger: 0 });
  onTestFinished(() => deaf.close());
  deaf.connect(server.endpoint);
  for (let n = 0; n < 200; n += 1) await deaf.send(['', 'large']);
  const ask = clientOf(server.endpoint);
  for (let n = 0; n < 100; n += 1) expect(await ask(String(n))).toEqual([String(n)]);

  // Once it has read what was sent to it, it is answered again.
  await expect.poll(() => server.stats().handled, { timeout: 20_000 }).toBe(300);
  const { sent } = server.stats();
  for (let n = 100; n < sent; n += 1) await within(`answer ${n} of ${sent}`, deaf.recvMultipart());
  await deaf.send(['', 'at last']);
  const answer = await within('it has an answer', deaf.recvMultipart());
  expect(answer.map(String)).toEqual(['', 'at last']);
  expect(errors.length).toBeGreaterThan(0);
  for (const { error, info } of errors) {
    expect(info).toMatchObject({ type: 'reply' });
    expect(error).toMatchObject({
      code: 'EAGAIN',
      message: 'The reply was not read and timed out after 2 s',
    });
  }
  expect(server.stats().dropped).toBe(errors.length);
});

test('a reply that waits for a peer is not late: its handler was done in time', async () => {
  const { server, errors } = await start({
    handler: moduleFile(`
      const pad = Buffer.alloc(1500);
      export default async ([text]) => [text, pad];`),
    threads: 1,
    timeout: 100,
    replyTimeout: 1000,
  });
  const deaf = new Dealer({ receiveHighWaterMark: 1, sendHighWaterMark: 0, linger: 0 });
  onTestFinished(() => deaf.close());
  deaf.connect(server.endpoint);
  const count = 10_000;
  for (let n = 0; n < count; n += 1) await deaf.send(['', String(n)]);
  await expect.poll(() => server.stats().handled, { timeout: 20_000 }).toBe(count);
  const { sent, dropped, ...rest } = server.stats();
  expect(rest).toMatchObject({ failed: 0, inFlight: 0, threads: [{ timedOut: 0 }] });
  expect(dropped).toBeGreaterThan(0);
  expect(sent + dropped).toBe(count);
  expect(new Set(errors.map(({ info }) => info.type))).toEqual(new Set(['reply']));
  const ask = clientOf(server.endpoint);
  for (let n = 0; n < 100; n += 1) expect((await ask(String(n)))[0]).toBe(String(n));
});

const WORKER = `
  import { serve } from 'zeromq-threads';
  const [connect, handler, options] = process.argv.slice(2);
  const server = await serve({ connect: connect.split(','), handler, threads: 2, ...JSON.parse(options) });
  const told = setInterval(() => console.log(server.stats().handled), 50);
  process.once('SIGTERM', async () => {
    clearInterval(told);
    await server.close({ drain: false });
    console.log('closed');
  });`;

const handled = (worker: LineProcess): number => Number(worker.lines.at(-1) ?? 0);

test(
  'a broker that is killed holds up no other, nor its successor',
  async () => {
    const [one, other] = [await endpoints.unboundTcp(), await endpoints.unboundTcp()];
    const args = [`${one},${other}`, moduleFile(LARGE).href, JSON.stringify({ maxInFlight: 10 })];
    const worker = startNode(WORKER, args, { step: 'worker', timeout: LONG });
    const load = { type: 'DEALER', bind: one, delimiter: true, count: 5000, size: 50, hwm: 0 } as const;
    const broker = await startPeer('c', 'send', { ...load, stay: true });
    await worker.waitFor('it works', PATIENCE, () => handled(worker) > 5 || undefined);
    await broker.kill();
    for (const [name, bind] of Object.entries({ other, successor: one })) {
      const next = new Requester({ bind, timeout: PATIENCE, retries: 0 });
      onTestFinished(() => next.close());
      for (let n = 0; n < 50; n += 1) {
        const answer = await within(`answer ${n} to the ${name}`, next.request(String(n)), PATIENCE);
        expect(String(answer)).toBe(String(n));
      }
    }
    expect(await worker.kill('SIGTERM'), worker.stderr).toMatchObject({ code: 0 });
    expect(worker.lines.at(-1)).toBe('closed');
  },
  LONG,
);

/** Asks for large answers as fast as it may, and tells how many came. */
const BUSY_BROKER = `
  import { connectionDefaults, Dealer } from 'zeromq-threads';
  const dealer = new Dealer({ ...connectionDefaults, linger: 0 });
  dealer.bind(process.argv[2]);
  let answers = 0;
  setInterval(() => console.log(answers), 50);
  void (async () => {
    for await (const _ of dealer) answers += 1;
  })();
  for (;;) await dealer.send(['', 'large']);`;

/** Asks one after another. */
const CALM_BROKER = `
  import { connectionDefaults, Dealer } from 'zeromq-threads';
  const dealer = new Dealer({ ...connectionDefaults, linger: 0 });
  dealer.bind(process.argv[2]);
  let answers = 0;
  setInterval(() => console.log(answers), 50);
  for (;;) {
    await dealer.send(['', 'small']);
    await dealer.recv();
    await dealer.recv();
    answers += 1;
  }`;

const obstacle = whyNoHosts();

describe.skipIf(obstacle !== undefined)(
  obstacle === undefined ? 'hosts' : `hosts (skipped: ${obstacle})`,
  () => {
    test(
      'a broker that is cut off holds up no other for good, and is served when it is back',
      async () => {
        const hosts = new Hosts(['busy', 'calm', 'worker']);
        const bind = 'tcp://*:5556';
        const busy = hosts.start('busy', moduleFile(BUSY_BROKER), [bind]);
        const calm = hosts.start('calm', moduleFile(CALM_BROKER), [bind]);
        const connect = ['busy', 'calm'].map((host) => `tcp://${hosts.address(host)}:5556`).join();
        const options = { maxInFlight: 10, socketOptions: { sendHighWaterMark: 20 } };
        const args = [connect, moduleFile(LARGE).href, JSON.stringify(options)];
        const worker = hosts.start('worker', moduleFile(WORKER), args);
        const more = async (broker: LineProcess, step: string, count: number): Promise<void> => {
          const then = handled(broker);
          await broker.waitFor(step, PATIENCE, () => handled(broker) >= then + count || undefined);
        };
        await more(busy, 'the busy one is served', 20);
        await more(calm, 'the calm one is served', 20);
        hosts.cut('busy');
        await more(calm, 'the calm one goes on', 50);
        hosts.mend('busy');
        await more(busy, 'the busy one is served again', 50);
        expect(await worker.kill('SIGTERM'), worker.stderr).toMatchObject({ code: 0 });
      },
      LONG,
    );
  },
);
