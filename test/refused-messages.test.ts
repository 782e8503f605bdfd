/**
 * A message that no handler thread can get is reported, and counted, and stops nobody. How large one may be is lowered
 * here for the groups that are made; test/soak/large-messages.test.ts has those that are too large indeed.
 */
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import {
  Dealer,
  type Pipeline,
  type PipelineErrorInfo,
  Pull,
  Push,
  pipeline,
  Request,
  type ServerErrorInfo,
  serve,
} from '../dist/src/index.js';
import { LARGEST_CHUNK_BYTES } from '../dist/src/layout.js';
import { native } from '../dist/src/native.js';
import { within } from './bounded.js';
import { moduleFile } from './peers/index.js';

const LIMIT = 100_000;
const TOO_LARGE =
  /^Cannot receive: Message too long: \d+ bytes of shared memory, 4294963200 at most \(EMSGSIZE\)$/;

beforeEach(() => {
  const { groupCreate } = native;
  vi.spyOn(native, 'groupCreate').mockImplementation((loop, lanes, mostInFlight, mostBytes, ...route) => {
    expect(mostBytes).toBe(LARGEST_CHUNK_BYTES);
    return groupCreate(loop, lanes, mostInFlight, LIMIT, ...route);
  });
});
afterEach(() => vi.restoreAllMocks());

describe('a request that is too large', () => {
  const start = async (options: object = {}) => {
    const server = await serve({
      bind: 'tcp://127.0.0.1:*',
      handler: moduleFile('export default (frames) => frames;'),
      threads: 2,
      ...options,
    });
    onTestFinished(async () => void (await server.close({ drain: false })));
    const errors: { error: Error; info: ServerErrorInfo }[] = [];
    server.on('error', (error, info) => errors.push({ error, info }));
    const client = new Request({ linger: 0 });
    onTestFinished(() => client.close());
    client.connect(server.endpoint);
    const ask = async (...request: (string | Buffer)[]): Promise<Buffer[]> => {
      await client.send(request);
      return (await within('the reply', client.recvMultipart())).map((frame) => Buffer.from(frame));
    };
    return { server, errors, ask };
  };

  it('is answered with an error and reported; others are served', async () => {
    const { server, errors, ask } = await start();
    expect(String(await ask('before'))).toBe('before');
    const [reply] = await ask(Buffer.alloc(60_000), Buffer.alloc(50_000));
    expect(JSON.parse(String(reply)).error).toMatchObject({
      name: 'ZmqError',
      code: 'EMSGSIZE',
      message: expect.stringMatching(TOO_LARGE),
    });
    expect(errors).toEqual([
      {
        error: expect.objectContaining({ code: 'EMSGSIZE', message: expect.stringMatching(TOO_LARGE) }),
        info: { type: 'refused', thread: undefined, request: undefined, routingId: expect.any(Buffer) },
      },
    ]);
    expect(server.stats()).toMatchObject({ dropped: 1, inFlight: 0, handled: 1, failed: 0 });
    expect(String(await ask('after'))).toBe('after');
    const largest = Buffer.alloc(LIMIT - 1000);
    expect((await ask(largest))[0]).toHaveLength(largest.length);
  });

  it('has an answer of the application’s wording, or none', async () => {
    const { ask } = await start({
      errorReply: (error: Error, request: Buffer[]) => `${error.name} ${request.length}`,
    });
    expect(String(await ask(Buffer.alloc(2 * LIMIT)))).toBe('ZmqError 0');
  });

  it('with an envelope of that size is reported alone', async () => {
    const { server, errors } = await start();
    const told = new Promise((resolve) => server.once('error', resolve));
    const dealer = new Dealer({ linger: 0 });
    onTestFinished(() => dealer.close());
    dealer.connect(server.endpoint);
    await dealer.send([Buffer.alloc(2 * LIMIT), '', 'large envelope']);
    await within('it is reported', told);
    expect(errors[0]!.info).toMatchObject({ type: 'refused', routingId: undefined });
    await dealer.send(['', 'after']);
    expect((await within('the reply', dealer.recvMultipart())).map(String)).toEqual(['', 'after']);
  });
});

describe.each([
  ['as they come', false],
  ['in order', true],
])('a message that is too large, results %s', (_, ordered) => {
  const start = async () => {
    const larger = moduleFile(`
      export default ([frame]) => [frame, Buffer.alloc(String(frame) === 'grows' ? ${2 * LIMIT} : 10)];
    `);
    const same = moduleFile('export default ([frame]) => frame;');
    const line: Pipeline = await pipeline({
      source: { type: 'PULL', bind: 'tcp://127.0.0.1:*' },
      sink: { type: 'PUSH', bind: 'tcp://127.0.0.1:*' },
      ordered,
      stages: [
        { handler: larger, threads: 2 },
        { handler: same, threads: 1 },
      ],
    });
    onTestFinished(async () => void (await line.close({ drain: false })));
    const errors: { error: Error; info: PipelineErrorInfo }[] = [];
    line.on('error', (error, info) => errors.push({ error, info }));
    const [push, pull] = [new Push({ linger: 0 }), new Pull()];
    onTestFinished(() => {
      push.close();
      pull.close();
    });
    push.connect(line.endpoint);
    pull.connect(line.sinks[0]!);
    return { line, errors, push, pull };
  };

  it.each([
    ['at the source', 0, Buffer.alloc(2 * LIMIT)],
    ['as a result on its way to the next stage', 1, 'grows'],
  ])('%s, is reported; what is behind it comes out', async (_, stage, large) => {
    const { line, errors, push, pull } = await start();
    for (const message of ['first', large, 'second', large, 'third']) await push.send(message);
    const results: string[] = [];
    while (results.length < 3) results.push(String(await within('a result', pull.recv())));
    if (!ordered) results.sort(); // which is the order that they were sent in
    expect(results).toEqual(['first', 'second', 'third']);
    await expect
      .poll(() => line.stats().stages.map(({ dropped }) => dropped))
      .toEqual(stage === 0 ? [2, 0] : [0, 2]);
    expect(errors).toHaveLength(2);
    for (const { error, info } of errors) {
      expect(error.message).toMatch(TOO_LARGE);
      expect(info).toEqual({ type: 'refused', stage, thread: undefined, message: undefined });
    }
    expect(await line.close()).toEqual({ unfinished: 0 });
  });
});
