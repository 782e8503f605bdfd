/** Requester: every request is answered or reported, whatever happens to the servers. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  ArgumentError,
  Message,
  Reply,
  Request,
  Requester,
  Router,
  SocketClosedError,
  TimeoutError,
} from 'zeromq-threads';

import { isPending, within } from './bounded.js';
import { ofTest } from './linked.js';
import { endpoints, runNode, startPeer } from './peers/index.js';
import { PATIENT, requesterOf } from './requesting.js';

async function ask(requester: Requester, text: string): Promise<string> {
  return (await within(`the answer to ${text}`, requester.request(text), 25_000)).map(String).join('|');
}

describe.each(['c', 'python'] as const)('with %s servers', (language) => {
  test.each(['REP', 'ROUTER'] as const)('a %s answers many requests in flight', async (type) => {
    const server = await startPeer(language, 'echo', { type, bind: endpoints.tcp() });
    const requester = requesterOf({ connect: server.endpoint, timeout: PATIENT });
    const answers = Array.from({ length: 300 }, (_, n) =>
      requester.request([`request ${n}`, '', Buffer.alloc(n)]),
    );
    for (const [n, frames] of (await within('all answers', Promise.all(answers), 25_000)).entries()) {
      expect(frames.map(String)).toEqual([`request ${n}`, '', '\0'.repeat(n)]);
    }
    expect(requester.stats()).toMatchObject({
      requests: 300,
      answered: 300,
      failed: 0,
      timedOut: 0,
      inFlight: 0,
    });
  });

  test('a server that is killed and comes back answers what was asked again', async () => {
    const endpoint = await endpoints.unboundTcp();
    const first = await startPeer(language, 'echo', { type: 'REP', bind: endpoint });
    const requester = requesterOf({
      connect: endpoint,
      timeout: 200,
      retries: 200,
      reconnectMaxInterval: 100,
    });
    expect(await ask(requester, 'before')).toBe('before');
    await first.kill();
    const waiting = [requester.request('while it is gone'), requester.request('and another')];
    expect(await isPending(Promise.race(waiting), 300)).toBe(true);
    await startPeer(language, 'echo', { type: 'REP', bind: endpoint });
    const answers = await within('answers of the server that came back', Promise.all(waiting), 25_000);
    expect(answers.map(String)).toEqual(['while it is gone', 'and another']);
  });

  test('what a server takes with it when it dies is answered by the other', async () => {
    const servers = [
      await startPeer(language, 'echo', { type: 'REP', bind: endpoints.tcp() }),
      await startPeer(language, 'echo', { type: 'REP', bind: endpoints.tcp() }),
    ] as const;
    const requester = requesterOf({
      connect: servers.map(({ endpoint }) => endpoint),
      timeout: 500,
      retries: 40,
    });
    expect(await Promise.all(['a', 'b', 'c', 'd'].map((text) => ask(requester, text)))).toEqual([
      'a',
      'b',
      'c',
      'd',
    ]);
    process.kill(servers[0].pid, 'SIGSTOP'); // it holds its connection and says nothing
    const held = Array.from({ length: 20 }, (_, n) => ask(requester, `held ${n}`));
    expect(await Promise.all(held)).toEqual(Array.from({ length: 20 }, (_, n) => `held ${n}`));
    await servers[0].kill();
    const after = Array.from({ length: 20 }, (_, n) => ask(requester, `after ${n}`));
    expect(await Promise.all(after)).toEqual(Array.from({ length: 20 }, (_, n) => `after ${n}`));
    expect(requester.stats()).toMatchObject({ requests: 44, answered: 44, timedOut: 0, failed: 0 });
  });
});

test('heartbeats find a server that hangs, and then it gets no requests', async () => {
  const servers = [
    await startPeer('c', 'echo', { type: 'REP', bind: endpoints.tcp() }),
    await startPeer('c', 'echo', { type: 'REP', bind: endpoints.tcp() }),
  ] as const;
  const requester = requesterOf({
    connect: servers.map(({ endpoint }) => endpoint),
    timeout: 1000,
    retries: 20,
    heartbeatInterval: 200,
    heartbeatTimeout: 1000,
  });
  await Promise.all(['a', 'b', 'c', 'd'].map((text) => ask(requester, text)));
  process.kill(servers[0].pid, 'SIGSTOP');
  // Sooner or later a round of requests goes through without any being asked again.
  for (;;) {
    const before = requester.stats().retries;
    await Promise.all(Array.from({ length: 10 }, (_, n) => ask(requester, `request ${n}`)));
    if (requester.stats().retries === before) break;
  }
});

test('nobody there: TimeoutError after the last attempt, told on diagnostics_channel', async () => {
  const requester = requesterOf({ connect: await endpoints.unboundTcp(), timeout: 30, retries: 2 });
  const told: unknown[] = [];
  const onRetry = (message: unknown): void => void told.push(message);
  const onFailed = (message: unknown): void => void told.push(message);
  subscribe('zeromq-threads:request:retry', onRetry);
  subscribe('zeromq-threads:request:failed', onFailed);
  onTestFinished(() => {
    unsubscribe('zeromq-threads:request:retry', onRetry);
    unsubscribe('zeromq-threads:request:failed', onFailed);
  });
  const error = await within(
    'the request is given up',
    requester.request('hello?').catch((thrown) => thrown),
  );
  expect(error).toBeInstanceOf(TimeoutError);
  expect(error.timeoutSecs).toBeCloseTo(0.09);
  expect(error.message).toContain(`request to ${requester.endpoints[0]} (3 attempts)`);
  expect(told).toEqual([
    { requester, attempts: 1, timeout: 30 },
    { requester, attempts: 2, timeout: 30 },
    { requester, error, attempts: 3 },
  ]);
  const once = requester.request('hello?', { timeout: 20, retries: 0 });
  await expect(within('one attempt', once)).rejects.toThrow('(1 attempt) timed out after 0.02 s');
  expect(requester.stats()).toEqual({
    requests: 2,
    answered: 0,
    timedOut: 2,
    failed: 0,
    retries: 2,
    late: 0,
    inFlight: 0,
  });
});

test('an answer to any attempt is the answer; the others are dropped', async () => {
  const router = ofTest(new Router());
  const requester = requesterOf({ connect: router.bind(endpoints.tcp()), timeout: 100, retries: 1000 });
  const big = Message.alloc(100_000).fill('x'); // large enough to be lent to libzmq
  const answer = requester.request(big);
  const [id, firstAttempt, , body] = await within('the first attempt', router.receive());
  const [, secondAttempt] = await within('the second attempt', router.receive());
  expect(body?.length).toBe(100_000);
  expect(firstAttempt?.equals(secondAttempt!)).toBe(false);
  await router.send([id!, firstAttempt!, '', 'to the first']);
  await router.send([id!, secondAttempt!, '', 'to the second']);
  expect(String(await within('the answer', answer))).toBe('to the first');
  await router.send([id!, 'not an envelope', 'at all']);
  const next = requester.request('next');
  for (;;) {
    const [, envelope, , text] = await within('the next request', router.receive());
    if (String(text) !== 'next') continue; // later attempts of the first
    await router.send([id!, envelope!, '', 'fine']);
    break;
  }
  expect(String(await within('the next answer', next))).toBe('fine');
  expect(requester.stats()).toMatchObject({ answered: 2, late: 2, inFlight: 0 });
});

test('a busy event loop does not time out what was answered in time', async () => {
  const reply = ofTest(new Reply());
  const requester = requesterOf({ connect: reply.bind(endpoints.tcp()), timeout: PATIENT });
  const connected = requester.request('connected');
  await within('the connection', reply.recv());
  await reply.send('yes');
  await connected;
  const answer = requester.request('hello', { timeout: 200, retries: 0 });
  reply.sendSync(reply.recvSync());
  // The thread does nothing for much longer than the answer takes, and for longer than the timeout.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
  expect(String(await within('the answer', answer))).toBe('hello');
});

test('cancelled and closed requests reject, and the others go on', async () => {
  const reply = ofTest(new Reply());
  const requester = requesterOf({ connect: reply.bind(endpoints.tcp()), timeout: PATIENT });
  const controller = new AbortController();
  const first = requester.request('first');
  const second = requester.request('second', { signal: controller.signal });
  controller.abort(new Error('no longer wanted'));
  await expect(within('the cancelled request', second)).rejects.toThrow('no longer wanted');
  await expect(requester.request('x', { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow(
    'before',
  );
  expect(await within('the request arrives', reply.recv('utf8'))).toBe('first');
  await reply.send('answer');
  expect(String(await within('the answer', first))).toBe('answer');
  const third = requester.request('third');
  requester.close();
  requester.close();
  await expect(within('the closed request', third)).rejects.toThrow(SocketClosedError);
  await expect(requester.request('fourth')).rejects.toThrow('Requester is closed');
  expect(requester.closed).toBe(true);
  expect(requester.stats()).toMatchObject({ answered: 1, failed: 2, inFlight: 0 });
});

test('servers come and go by connect and disconnect', async () => {
  const first = await startPeer('c', 'echo', { type: 'REP', bind: endpoints.tcp() });
  const requester = requesterOf({ connect: first.endpoint, timeout: 1000, retries: 20 });
  expect(await ask(requester, 'one')).toBe('one');
  const second = await startPeer('python', 'echo', { type: 'REP', bind: endpoints.tcp() });
  requester.connect(second.endpoint);
  requester.disconnect(first.endpoint);
  expect(requester.endpoints).toEqual([second.endpoint]);
  await first.kill();
  expect(await ask(requester, 'two')).toBe('two');
});

test('bound, it asks the servers that connect', async () => {
  const requester = requesterOf({ bind: endpoints.tcp(), timeout: PATIENT });
  const waiting = requester.request('anybody?');
  await startPeer('c', 'echo', { type: 'REP', connect: requester.endpoints[0] });
  expect(String(await within('the answer', waiting, 25_000))).toBe('anybody?');
});

test('a REQ socket with relaxed and correlate does the same for one request at a time', async () => {
  const endpoint = await endpoints.unboundTcp();
  const request = ofTest(
    new Request({ relaxed: true, correlate: true, receiveTimeout: 200, reconnectMaxInterval: 100 }),
  );
  request.connect(endpoint);
  const attempt = async (): Promise<string | undefined> => {
    await request.send('still there?');
    return request.recv('utf8').catch((error: unknown) => {
      if (error instanceof TimeoutError) return undefined;
      throw error;
    });
  };
  expect(await attempt()).toBeUndefined();
  await startPeer('c', 'echo', { type: 'REP', bind: endpoint });
  const answered = async (): Promise<string> => {
    for (;;) {
      const answer = await attempt();
      if (answer !== undefined) return answer;
    }
  };
  expect(await within('the server that came is asked again', answered(), 25_000)).toBe('still there?');
});

test('waiting requests keep a process alive, an idle Requester does not', async () => {
  const server = await startPeer('c', 'echo', { type: 'REP', bind: endpoints.tcp() });
  const script = `
    import { Requester } from 'zeromq-threads';
    const requester = new Requester({ connect: '${server.endpoint}', timeout: 10000 });
    requester.request('one').then(async ([answer]) => {
      console.log(String(answer), String(await requester.request('two')));
    });`;
  expect(await runNode(script)).toMatchObject({ code: 0, stderr: '', stdout: 'one two\n' });
});

test('bad arguments', async () => {
  expect(() => new Requester({})).toThrow(
    'connect: expected an endpoint or several (or bind), got undefined',
  );
  expect(() => new Requester({ connect: [] })).toThrow(ArgumentError);
  expect(() => new Requester({ connect: 5 as never })).toThrow(
    'connect: expected an endpoint or several, got',
  );
  expect(() => new Requester({ connect: 'tcp://127.0.0.1:1', retries: -1 })).toThrow('retries: expected');
  expect(() => new Requester({ connect: 'tcp://127.0.0.1:1', timeout: Number.NaN })).toThrow(
    'timeout: expected',
  );
  expect(() => new Requester({ connect: 'nowhere' })).toThrow(/EINVAL/);
  expect(() => new Requester({ connect: 'tcp://127.0.0.1:1', nonsense: 1 } as never)).toThrow(ArgumentError);
  const requester = requesterOf({ connect: 'tcp://127.0.0.1:1' });
  for (const nowhere of [undefined, null, 5, ''] as never[]) {
    expect(() => requester.connect(nowhere)).toThrow("endpoint: expected a string such as 'tcp://");
    expect(() => requester.disconnect(nowhere)).toThrow("endpoint: expected a string such as 'tcp://");
  }
  expect(requester.endpoints).toEqual(['tcp://127.0.0.1:1']);
  await expect(requester.request({} as never)).rejects.toThrow(ArgumentError);
  await expect(requester.request([])).rejects.toThrow('data: expected one frame or more');
  await expect(requester.request(['ok', {} as never])).rejects.toThrow('data[1]: expected');
  await expect(requester.request('x', { retries: 0.5 })).rejects.toThrow(
    'retries: expected an integer from 0 up',
  );
  await expect(requester.request('x', { signal: 1 as never })).rejects.toThrow(
    'signal: expected an AbortSignal',
  );
  expect(requester.stats()).toMatchObject({ requests: 0, inFlight: 0 });
});
