/** Handler threads come and go: their modules' setup and teardown, and deaths outside of handlers. */
import { describe, expect, it } from 'vitest';
import { HandlerError, type ServeOptions, serve, type ThreadEvent } from 'zeromq-threads';

import { within } from './bounded.js';
import { runNode } from './peers/index.js';
import { clientOf, handlerOf, start } from './serving.js';

type Deeds = Record<number, string>;

const life = (setup: Deeds, teardown: Deeds = {}): Pick<ServeOptions, 'handler' | 'workerData'> => ({
  handler: handlerOf('life.mjs'),
  workerData: { setup, teardown, word: new Int32Array(new SharedArrayBuffer(4)) },
});

/** What a server that does not start fails with. */
async function failure(options: Partial<ServeOptions>): Promise<HandlerError> {
  const starting = serve({ bind: 'tcp://127.0.0.1:*', threads: 2, ...options } as ServeOptions);
  const error = await within(
    'it fails to start',
    starting.then(
      () => undefined,
      (reason: unknown) => reason,
    ),
    20_000,
  );
  expect(error).toBeInstanceOf(HandlerError);
  return error as HandlerError;
}

describe('setup that', () => {
  it.each([
    ['throws', 'throw', /thread 1 died: no setup$/],
    ['throws null', 'throwNull', /thread 1 died: null$/],
    ['calls process.exit()', 'exit', /thread 1 died: .*4$/],
  ])('%s: there is no server, although the other threads are well', async (_, deed, words) => {
    expect((await failure(life({ 1: deed }))).message).toMatch(words);
  });

  it.each(['hang', 'block'])('never ends, when another fails: is ended with it (%s)', async (deed) => {
    expect((await failure(life({ 0: deed, 1: 'throw' }))).message).toMatch(/thread 1 died: no setup$/);
  });

  it.each(['hang', 'block'])('takes longer than setupTimeout: there is no server (%s)', async (deed) => {
    const error = await failure({ ...life({ 1: deed }), setupTimeout: 500 });
    expect(error.message).toMatch(/thread \d died: setup timed out after 0\.5 s$/);
    expect(error.cause).toMatchObject({ name: 'TimeoutError' });
  });

  it.each([
    ['throws', 'throwIfTold', {}, /not now$/],
    ['hangs', 'hangIfTold', { setupTimeout: 3000 }, /setup timed out after 3 s$/],
  ])('%s later: the thread is tried again until it is well', async (_, deed, options, words) => {
    const circuit = { deaths: 1, within: 60_000, backOff: 20 };
    const given = life({ 0: deed });
    const { word } = given.workerData as { word: Int32Array };
    const { server } = await start({ ...given, ...options, threads: 1, circuit });
    const ask = clientOf(server.endpoint);
    Atomics.store(word, 0, 1);
    const failed = new Promise<ThreadEvent>((resolve) => {
      server.on('thread', (event) => {
        if (event.type === 'died' && words.test(event.error!.message)) resolve(event);
      });
    });
    await ask('exit');
    expect(await within('it fails', failed, 20_000)).toMatchObject({ thread: 0 });
    Atomics.store(word, 0, 0);
    expect((await ask('there'))[0]).toMatch(/^0 /);
  });
});

describe.each(['serve', 'pipeline'])('a context that closes while %s() starts', (name) => {
  const starting = `
    import { Context, pipeline, serve } from 'zeromq-threads';
    const context = new Context();
    const word = new Int32Array(new SharedArrayBuffer(4));
    const bind = 'tcp://127.0.0.1:*';
    const common = {
      handler: '${handlerOf('life.mjs')}',
      threads: 2,
      workerData: { setup: { 0: 'waitUntilTold', 1: 'waitUntilTold' }, word },
    };
    const socketOptions = { context };
    const starting = '${name}' === 'serve'
      ? serve({ bind, socketOptions, ...common })
      : pipeline({ source: { type: 'PULL', bind, socketOptions }, ...common });
    const failed = starting.catch((error) => error);`;

  it.each([
    ['before its threads are there', ''],
    ['while they are set up', 'while (Atomics.load(word, 0) < 2) await new Promise(setImmediate);'],
  ])('%s: it fails with that, and the process ends', async (_, wait) => {
    const ended = await runNode(`${starting}
      ${wait}
      await context.close();
      Atomics.store(word, 0, 100);
      const { name, code } = await failed;
      console.log(name, code);`);
    expect(ended).toMatchObject({ code: 0, stderr: '', stdout: 'ContextClosedError ETERM\n' });
  });
});

it('a thread that dies while others still start is replaced', async () => {
  const { server } = await start({
    ...life({ 0: 'dieWhenReady', 1: 'waitForReplacement' }),
    threads: 2,
    route: 'round-robin',
  });
  await expect.poll(() => server.stats().threads.map(({ state }) => state)).toEqual(['running', 'running']);
  expect(server.stats().threads.map(({ deaths }) => deaths)).toEqual([1, 0]);
  const ask = clientOf(server.endpoint);
  const answers = [await ask('a'), await ask('b')].flat();
  expect(answers.map((answer) => answer[0]).sort()).toEqual(['0', '1']);
});

describe('teardown that', () => {
  it.each([
    ['throws', 'throw', /thread 1 died: no teardown$/],
    ['throws null', 'throwNull', /thread 1 died: null$/],
    ['calls process.exit()', 'exit', /thread 1 died: .*4$/],
    ['never ends', 'hang', /thread 1 did not end within 2 s$/],
    ['blocks', 'block', /thread 1 did not end within 2 s$/],
  ])('%s: the server closes, and tells of it', async (_, deed, words) => {
    const { server, errors } = await start({ ...life({}, { 1: deed }), threads: 2 });
    await clientOf(server.endpoint)('x');
    expect(await within('closing', server.close(), 20_000)).toEqual({ unfinished: 0 });
    expect(errors.map(({ info }) => [info.type, info.thread])).toEqual([['thread', 1]]);
    expect(errors[0]!.error).toBeInstanceOf(HandlerError);
    expect(errors[0]!.error.message).toMatch(words);
  });
});

it.each([
  ['setup', '{ open: true }', /exports 'setup': expected a function, got .*open/],
  ['teardown', '"later"', /exports 'teardown': expected a function, got .*later/],
  ['errorReply', 'null', /exports 'errorReply': expected a function, got null/],
])('a module whose %s is no function is refused', async (hook, value, words) => {
  const source = `export default () => 'reply'; export const ${hook} = ${value};`;
  const error = await failure({ handler: `data:text/javascript,${encodeURIComponent(source)}` });
  expect(error.message).toMatch(words);
});

describe('a CommonJS module', () => {
  it('has its setup and errorReply used, also where only its default export has them', async () => {
    const { server } = await start({ handler: handlerOf('common.cjs'), export: 'isReady', threads: 1 });
    expect(await clientOf(server.endpoint)('x')).toEqual(['true']);
    const failing = await start({ handler: handlerOf('common.cjs'), export: 'throws', threads: 1 });
    expect(await clientOf(failing.server.endpoint)('x')).toEqual(['CommonJS says']);
  });
});

describe('what a handler logs', () => {
  it('stays as it was, although the memory of its message is used again', async () => {
    const { server } = await start({ threads: 1 });
    const logged: string[] = [];
    const count = 2000;
    const all = new Promise<void>((resolve) => {
      server.on('log', (_level, [request]) => {
        logged.push((request as Uint8Array[]).map((frame) => Buffer.from(frame).toString()).join(' '));
        if (logged.length === count) resolve();
      });
    });
    const ask = clientOf(server.endpoint);
    const held: unknown[] = [];
    server.on('log', (_level, args) => held.push(args[0]));
    for (let n = 0; n < count; n += 1) await ask('logAll', `${n}`.padStart(2000, '.'));
    await within('all is logged', all, 20_000);
    for (const [n, request] of held.entries()) {
      const [, text] = request as Uint8Array[];
      expect(Buffer.from(text!).toString().replaceAll('.', '')).toBe(String(n));
    }
    expect(logged[7]).toBe(`logAll ${'7'.padStart(2000, '.')}`);
  });

  it('is told in words where it cannot be copied', async () => {
    const { server } = await start({ threads: 1 });
    const told = new Promise<unknown[]>((resolve) => {
      server.on('log', (_level, args) => resolve(args));
    });
    await clientOf(server.endpoint)('logOdd');
    expect(await within('the line', told)).toEqual(['odd', '[Object: null prototype] {}', 'Symbol(s)']);
  });
});
