/** Options of single calls that nobody knows: a misspelt one would do nothing, and is refused. */
import { expect, test } from 'vitest';
import {
  ArgumentError,
  Context,
  curveKeyPair,
  Poller,
  Pull,
  Push,
  Requester,
  Router,
  writeCurveKeyFiles,
  Proxy as ZmqProxy,
} from 'zeromq-threads';

import { linked, ofTest } from './linked.js';
import { endpoints } from './peers/index.js';

const WAITS = 'timeout, signal';
const SENDS = 'timeout, signal, more, routingId, group';

function pair(): { pull: Pull; push: Push } {
  const [pull, push] = linked(new Pull(), new Push());
  return { pull, push };
}

/** What is called with options that have another name among them, and which it knows. */
const calls: Record<string, [call: (options: object) => unknown, known: string]> = {
  recv: [(options) => pair().pull.recv(options), WAITS],
  'recv as text': [(options) => pair().pull.recv('utf8', options), WAITS],
  receive: [(options) => pair().pull.receive(options), WAITS],
  recvMultipart: [(options) => pair().pull.recvMultipart(options), WAITS],
  recvSync: [(options) => pair().pull.recvSync(options), WAITS],
  send: [(options) => pair().push.send('x', options), SENDS],
  sendMultipart: [(options) => pair().push.sendMultipart(['x'], options), SENDS],
  sendSync: [(options) => pair().push.sendSync('x', options), SENDS],
  trySend: [(options) => pair().push.trySend('x', options), 'more, routingId, group'],
  'poller.wait': [(options) => new Poller([pair().pull]).wait(options), WAITS],
  'poller.waitSync': [(options) => new Poller([pair().pull]).waitSync(options), WAITS],
  batches: [(options) => pair().pull.batches(options), 'max'],
  connect: [(options) => ofTest(new Router()).connect(endpoints.tcp(), options), 'routingId'],
  close: [(options) => pair().pull.close(options), 'linger'],
  'context.close': [(options) => new Context().close(options), 'timeout'],
  proxy: [(options) => new ZmqProxy(pair().pull, pair().push, options), 'capture, closeSockets'],
  request: [
    (options) => ofTest(new Requester({ connect: 'tcp://127.0.0.1:1' })).request('x', options),
    'timeout, retries, signal',
  ],
  writeCurveKeyFiles: [
    (options) => writeCurveKeyFiles('/nowhere/at/all', curveKeyPair(), options),
    'replace, metadata',
  ],
};

test.each(Object.entries(calls))('%s refuses an option that it does not know', async (_, [call, known]) => {
  const failure = await (async () => call({ tiemout: 5 }))().then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(ArgumentError);
  expect((failure as Error).message).toBe(`options: expected only ${known}, got 'tiemout'`);
});

test('nothing is sent or received by a call that is refused', async () => {
  const { pull, push } = pair();
  const bad = { tiemout: 5 } as object;
  await push.send('first');
  await expect(push.send('refused', bad)).rejects.toThrow(ArgumentError);
  expect(() => push.sendSync('refused', bad)).toThrow(ArgumentError);
  expect(() => push.trySend('refused', bad)).toThrow(ArgumentError);
  await expect(pull.recv(bad)).rejects.toThrow(ArgumentError);
  await push.send('second');
  expect(await pull.recv('utf8')).toBe('first');
  expect(await pull.recv('utf8')).toBe('second');
});
