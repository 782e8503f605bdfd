/** context.share() and Context.attach(): one context in several threads. */
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ArgumentError, Context, ContextClosedError, Pair, Socket } from 'zeromq-threads';

import { within } from './bounded.js';
import { ofTest } from './linked.js';
import { endpoints } from './peers/index.js';

const PACKAGE = import.meta.resolve('zeromq-threads');

/** A Worker that has `context` (attached), `endpoint` and `Pair`, and runs `body`; what it posted first. */
function inWorker(
  handle: unknown,
  endpoint: string,
  body: string,
): { posted: Promise<unknown>; worker: Worker } {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    (async () => {
      const { Context, Pair } = await import(${JSON.stringify(PACKAGE)});
      const { endpoint } = workerData;
      const context = Context.attach(workerData.handle);
      ${body}
    })();`;
  const worker = new Worker(code, { eval: true, workerData: { handle, endpoint } });
  onTestFinished(async () => void (await worker.terminate()));
  const posted = new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { posted, worker };
}

function contextOfTest(): Context {
  const context = new Context();
  onTestFinished(() => context.close());
  return context;
}

describe('a context in several threads', () => {
  it('lets their sockets meet on inproc', async () => {
    const context = contextOfTest();
    const here = ofTest(new Pair({ context }));
    const endpoint = here.bind(endpoints.inproc());
    inWorker(
      context.share(),
      endpoint,
      `const there = new Pair({ context });
       there.connect(endpoint);
       await there.send('from there');
       there.sendSync(['got', there.recvSync('utf8')]);`,
    );
    expect(await within('a message from the Worker', here.recv('utf8'))).toBe('from there');
    await here.send('from here');
    expect((await within('its answer', here.recvMultipart())).map(String)).toEqual(['got', 'from here']);
  });

  it('is closed for all by whoever closes it', async () => {
    const context = contextOfTest();
    const here = ofTest(new Pair({ context }));
    here.bind(endpoints.inproc());
    const waiting = expect(here.recv()).rejects.toThrow(/closed/i);
    const { posted } = inWorker(
      context.share(),
      '',
      `await context.close();
       parentPort.postMessage(context.closed);`,
    );
    expect(await within('the Worker closes it', posted)).toBe(true);
    await within('the receive under way ends', waiting);
    expect(context.closed).toBe(true);
    expect(() => new Pair({ context })).toThrow(ContextClosedError);
  });

  it('outlives a Worker that had it and ended', async () => {
    const context = contextOfTest();
    const { posted, worker } = inWorker(
      context.share(),
      '',
      `new Pair({ context }).bind('inproc://left-open');
       parentPort.postMessage('attached');`,
    );
    await within('the Worker attaches', posted);
    await within('the Worker ends', worker.terminate());
    expect(context.closed).toBe(false);
    const here = ofTest(new Pair({ context }));
    const there = ofTest(new Pair({ context: Context.attach(context.share()) }));
    there.connect(here.bind(endpoints.inproc()));
    await there.send('still there');
    expect(await within('a message', here.recv('utf8'))).toBe('still there');
  });

  it('can be attached to in its own thread, each attachment by itself', async () => {
    const context = contextOfTest();
    const other = Context.attach(structuredClone(context.share()));
    expect(other).not.toBe(context);
    expect(other.share()).toEqual(context.share());
    other.maxMessageSize = 1234;
    expect(context.maxMessageSize).toBe(1234);
    await within('closing one', other.close());
    expect(context.closed).toBe(true);
    expect(() => context.share()).toThrow(ContextClosedError);
  });

  it('is refused when closed, or when the handle is none of a context', async () => {
    const context = contextOfTest();
    const handle = context.share();
    const socket = ofTest(new Socket('PAIR'));
    for (const bad of [
      undefined,
      null,
      5,
      {},
      socket.share(),
      { ...handle, id: -1 },
      { ...handle, process: 'another' },
    ]) {
      expect(() => Context.attach(bad as never)).toThrow(ArgumentError);
    }
    expect(() => Context.attach({ ...handle, id: 0xffffffff })).toThrow(ContextClosedError);
    expect(() => Socket.attach(handle as never)).toThrow(ArgumentError);
    await within('closing', context.close());
    expect(() => Context.attach(handle)).toThrow(ContextClosedError);
  });
});
