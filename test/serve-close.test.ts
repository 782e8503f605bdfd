/** The end of a server: what was accepted is finished, what could not be is counted and told, and nothing goes on. */
import { expect, it } from 'vitest';
import { ArgumentError, serve } from 'zeromq-threads';

import { isPending, within } from './bounded.js';
import { runNode, startNode } from './peers/index.js';
import { dealerTo, handlerOf, start } from './serving.js';

it('what was accepted is finished and answered', async () => {
  const { server } = await start({ threads: 2 });
  const dealer = dealerTo(server.endpoint);
  for (let n = 0; n < 100; n += 1) await dealer.send([`${n}`, '', 'sleep', '300']);
  await expect.poll(() => server.stats().inFlight + server.stats().handled).toBe(100);
  expect(server.closed).toBe(false);
  const closing = server.close();
  expect(server.closed).toBe(true);
  const answered = new Set<string>();
  while (answered.size < 100) {
    const [n, , reply] = await within(`reply ${answered.size}`, dealer.recvMultipart());
    expect(String(reply)).toBe('slept');
    answered.add(String(n));
  }
  expect(await within('closing', closing)).toEqual({ unfinished: 0 });
  expect(server.stats()).toMatchObject({ handled: 100, sent: 100, inFlight: 0 });
  expect(server.stats().threads.map(({ state }) => state)).toEqual(['ended', 'ended']);
});

it('nothing new is accepted', async () => {
  const { server } = await start({ threads: 1 });
  const dealer = dealerTo(server.endpoint);
  await dealer.send(['first', '', 'sleep', '100']);
  await expect.poll(() => server.stats().inFlight).toBe(1);
  const closing = server.close();
  await dealer.send(['second', '', 'echo']);
  expect(await within('closing', closing)).toEqual({ unfinished: 0 });
  expect(server.stats().handled).toBe(1);
  const [name] = await within('the only reply', dealer.recvMultipart());
  expect(String(name)).toBe('first');
  expect(dealer.tryRecvMultipart()).toBe(undefined);
});

it.each([
  ['is over', { timeout: 60 }],
  ['is not given', { drain: false }],
])('when the time %s: what is left is aborted, counted and told', async (_, options) => {
  const { server, errors } = await start({ threads: 1, concurrency: 2 });
  const dealer = dealerTo(server.endpoint);
  await dealer.send(['waits', '', 'sleep', '60000']);
  await dealer.send(['heeds', '', 'signal']);
  await dealer.send(['queued', '', 'echo']);
  await expect.poll(() => server.stats().inFlight).toBe(3);
  expect(await within('closing', server.close(options))).toEqual({ unfinished: 1 });
  const left = errors.filter(({ info }) => info.type === 'close');
  expect(left.map(({ info }) => String(info.request![0]))).toEqual(['sleep']);
  expect(left[0]!.error).toMatchObject({ code: 'ECANCELED' });
  // What heeded its signal had its answer, and made room for what was queued.
  const replies = [];
  for (let n = 0; n < 2; n += 1)
    replies.push((await within('a reply', dealer.recvMultipart())).map(String).join(' '));
  expect(replies.sort()).toEqual(['heeds  aborted: AbortError', 'queued  echo']);
});

it('a handler that blocks its thread is not waited for', async () => {
  const { server, errors } = await start({ threads: 1 });
  const dealer = dealerTo(server.endpoint);
  await dealer.send(['blocks', '', 'spin', '600000']);
  await expect.poll(() => server.stats().threads[0]!.inProgress).toBe(1);
  expect(await within('closing', server.close({ timeout: 10 }), 20_000)).toEqual({ unfinished: 1 });
  expect(errors.map(({ info }) => info.type)).toEqual(['close']);
});

it('closing again gives the same promise; options are checked all the same', async () => {
  const { server } = await start();
  const results: unknown[] = [];
  server.on('close', (result) => results.push(result));
  const closing = server.close();
  expect(server.close({ drain: false })).toBe(closing);
  await closing;
  await server[Symbol.asyncDispose]();
  expect(results).toEqual([{ unfinished: 0 }]);
  for (const options of [5, { drain: 1 }, { timeout: -2 }, { timeout: 'soon' }, { linger: 0 }]) {
    await expect(server.close(options as never)).rejects.toThrow(ArgumentError);
  }
});

it.each([
  ['without draining', { drain: false }],
  ['with less time', { timeout: 10 }],
])('closing again %s hastens the end', async (_, options) => {
  const { server } = await start({ threads: 1 });
  const dealer = dealerTo(server.endpoint);
  await dealer.send(['waits', '', 'sleep', '600000']);
  await expect.poll(() => server.stats().inFlight).toBe(1);
  const closing = server.close({ timeout: -1 });
  expect(await isPending(closing)).toBe(true);
  expect(server.close({ timeout: 600_000 })).toBe(closing);
  expect(server.close(options)).toBe(closing);
  expect(await within('closing', closing, 20_000)).toEqual({ unfinished: 1 });
});

it('what is taken and waits for a thread is in flight until the server is closed', async () => {
  const { server } = await start({ threads: 1, route: { key: 'header' }, maxInFlight: 4 });
  const dealer = dealerTo(server.endpoint);
  for (let n = 0; n < 4; n += 1) await dealer.send([`${n}`, '', 'sleep', '600000']);
  await expect.poll(() => server.stats().inFlight).toBe(4);
  const closing = server.close({ timeout: 600_000 });
  expect(server.stats().inFlight).toBe(4);
  void server.close({ drain: false });
  await within('closing', closing, 20_000);
  expect(server.stats().inFlight).toBe(0);
});

it('its endpoint is free again', async () => {
  const { server } = await start({ threads: 1 });
  await server.close();
  const next = await serve({ bind: server.endpoint, handler: handlerOf('echo.mjs'), threads: 1 });
  expect(next.endpoint).toBe(server.endpoint);
  await next.close();
});

it('SIGTERM, with the line that the guide has: requests under way are answered, and the process ends well', async () => {
  const program = startNode(
    `
    import { serve } from 'zeromq-threads';
    const server = await serve({ bind: 'tcp://127.0.0.1:*', handler: new URL('${handlerOf('echo.mjs').href}'), threads: 2 });
    process.once('SIGTERM', () => server.close({ timeout: 5000 }));
    console.log(server.endpoint);
    `,
    [],
    { step: 'a server that is told to end' },
  );
  const endpoint = await program.waitFor('it serves', 20_000, ({ lines }) => lines[0]);
  const dealer = dealerTo(endpoint);
  for (let n = 0; n < 20; n += 1) await dealer.send([`${n}`, '', 'sleep', '200']);
  await dealer.send(['last', '', 'echo']);
  const [last] = await within('all are under way', dealer.recvMultipart());
  expect(String(last)).toBe('last');
  process.kill(program.pid, 'SIGTERM');
  for (let n = 0; n < 20; n += 1) await within(`reply ${n}`, dealer.recvMultipart());
  const { code, signal } = await program.waitForExit('it ends', 20_000);
  expect({ code, signal, stderr: program.stderr }).toEqual({ code: 0, signal: null, stderr: '' });
});

it('process.exit() with handlers at work', async () => {
  const result = await runNode(
    `
    import { Dealer, serve } from 'zeromq-threads';
    const server = await serve({ bind: 'tcp://127.0.0.1:*', handler: new URL('${handlerOf('echo.mjs').href}'), threads: 2 });
    const dealer = new Dealer({ linger: 0 });
    dealer.connect(server.endpoint);
    for (let n = 0; n < 20; n += 1) await dealer.send(['', n % 2 ? 'spin' : 'sleep', '600000']);
    while (server.stats().inFlight < 20) await new Promise((resolve) => setTimeout(resolve, 5));
    process.exit(3);
    `,
    [],
    { step: 'a process that exits while it serves', timeout: 20_000 },
  );
  expect(result).toMatchObject({ code: 3, signal: null, stderr: '' });
});

it('a listener that throws is an uncaught exception, and keeps nothing from closing', async () => {
  const result = await runNode(
    `
    import { Dealer, serve } from 'zeromq-threads';
    const server = await serve({ bind: 'tcp://127.0.0.1:*', handler: new URL('${handlerOf('echo.mjs').href}'), threads: 1 });
    process.on('uncaughtException', (error) => console.log(error.message));
    for (const event of ['error', 'thread', 'log', 'close']) server.on(event, () => { throw new Error(event); });
    const dealer = new Dealer({ linger: 0 });
    dealer.connect(server.endpoint);
    for (const request of [['', 'log'], ['', 'exit'], ['', 'sleep', '600000']]) await dealer.send(request);
    const died = () => server.stats().threads[0].deaths === 1;
    while (!died() || server.stats().threads[0].inProgress < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    console.log(JSON.stringify(await server.close({ timeout: 10 })));
    dealer.close();
    `,
    [],
    { step: 'a server whose listeners throw', timeout: 20_000 },
  );
  expect(result).toMatchObject({ code: 0, signal: null, stderr: '' });
  const lines = result.stdout.trim().split('\n');
  expect(lines).toContain('{"unfinished":1}');
  // The death is a 'thread' event, and an error; so is what it took with it, and what the end did.
  expect(lines.filter((line) => !line.startsWith('{')).sort()).toEqual([
    'close',
    'error',
    'error',
    'error',
    'log',
    'thread',
    'thread',
  ]);
});
