/** Requester and its servers: whom it asks, whom it asks next, and what becomes of those whose connection is lost. */
import { type AddressInfo, type Socket as Connection, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import {
  Context,
  ContextClosedError,
  Dealer,
  Requester,
  Router,
  type SocketOptions,
  TimeoutError,
} from 'zeromq-threads';

import { isPending, turn, within } from './bounded.js';
import { zmtp2 } from './hostile/zmtp.js';
import { ofTest } from './linked.js';
import { endpoints, startNode } from './peers/index.js';
import { PATIENT, requesterOf } from './requesting.js';

/** A server that answers with its name, unless told to be silent, and keeps what it was asked. */
class Server {
  readonly asked: string[] = [];
  silent = false;
  readonly endpoint: string;
  readonly #router: Router;

  constructor(
    readonly name: string,
    bind: string = endpoints.tcp(),
    options: SocketOptions<'ROUTER'> = {},
  ) {
    this.#router = ofTest(new Router({ linger: 0, ...options }));
    this.endpoint = this.#router.bind(bind);
    void this.#serve();
  }

  close(): void {
    this.#router.close();
  }

  async #serve(): Promise<void> {
    for await (const [id, envelope, delimiter, question] of this.#router) {
      this.asked.push(String(question));
      if (!this.silent) await this.#router.send([id!, envelope!, delimiter!, this.name]);
    }
  }
}

/** Waits until nobody listens there any more: libzmq closes in the background. */
async function freed(endpoint: string): Promise<void> {
  const port = Number(new URL(endpoint).port);
  const isFree = (): Promise<boolean> =>
    new Promise((resolve) => {
      const probe = createServer((connection) => connection.destroy());
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
  await expect.poll(isFree, { timeout: PATIENT, interval: 5 }).toBe(true);
}

/** Asks until all these servers have answered. */
async function untilAll(requester: Requester, ...names: string[]): Promise<void> {
  const missing = new Set(names);
  while (missing.size > 0) {
    missing.delete(String(await within(`an answer of ${[...missing]}`, requester.request('who?'), PATIENT)));
  }
}

const RESTARTING = `
  import { Router } from 'zeromq-threads';
  for (let starts = 1; ; starts += 1) {
    const router = new Router({ sendHighWaterMark: 0, receiveHighWaterMark: 0, linger: 1000 });
    const bind = async () => {
      for (;;) {
        try {
          return router.bind(process.argv[2]);
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 5)); // the one before is not gone yet
        }
      }
    };
    await bind();
    console.log(starts);
    for (let n = 0; n < 1000; n += 1) await router.send(await router.recvMultipart());
    router.close();
  }`;

const ASKING = `
  import { Requester } from 'zeromq-threads';
  const requester = new Requester({
    connect: process.argv[2],
    ...{ timeout: 200, retries: 1000, reconnectInterval: 10, reconnectMaxInterval: 20 },
    ...{ sendHighWaterMark: 0, receiveHighWaterMark: 0 },
  });
  const parts = Array(20).fill('part');
  const wrong = [];
  const ask = async (n) => {
    for (let more = 0; more < 30; more += 1) {
      const answer = await requester.request([String(n), ...parts]).catch(({ code }) => [code]);
      if (String(answer) !== String([String(n), ...parts]) && answer[0] !== 'ETIMEDOUT') wrong.push(String(answer));
    }
  };
  await Promise.all(Array.from({ length: 1000 }, (_, n) => ask(n)));
  const { requests, answered, timedOut, inFlight } = requester.stats();
  console.log(JSON.stringify({ requests, settled: answered + timedOut, inFlight, wrong }));
  requester.close();`;

test('a server that restarts again and again: every request is answered or reported, and the process lives', async () => {
  const endpoint = await endpoints.unboundTcp();
  const server = startNode(RESTARTING, [endpoint], { step: 'server' });
  const client = startNode(ASKING, [endpoint], { step: 'client' });
  expect(await client.waitForExit('all is asked', 28_000), client.stderr).toMatchObject({ code: 0 });
  expect(JSON.parse(client.lines[0]!)).toEqual({ requests: 30_000, settled: 30_000, inFlight: 0, wrong: [] });
  expect(Number(server.lines.at(-1))).toBeGreaterThan(20);
});

test('servers that are there take turns', async () => {
  const servers = ['a', 'b', 'c'].map((name) => new Server(name));
  const requester = requesterOf({ connect: servers.map(({ endpoint }) => endpoint), timeout: PATIENT });
  await untilAll(requester, 'a', 'b', 'c');
  const rounds: string[] = [];
  for (let round = 0; round < 10; round += 1) {
    const answers = await Promise.all(['x', 'y', 'z'].map((text) => requester.request(text)));
    rounds.push(answers.map(String).sort().join(''));
  }
  expect(rounds).toEqual(Array(10).fill('abc'));
});

test('what a server does not answer is asked of another', async () => {
  const servers = [new Server('a'), new Server('b')] as const;
  const requester = requesterOf({ connect: servers.map(({ endpoint }) => endpoint), timeout: PATIENT });
  await untilAll(requester, 'a', 'b');
  for (const server of servers) server.silent = true;
  const questions = Array.from({ length: 20 }, (_, n) => `question ${n}`);
  const waiting = questions.map((text) => requester.request(text, { timeout: 200, retries: 1 }));
  for (const outcome of await Promise.allSettled(waiting)) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(TimeoutError) });
  }
  for (const server of servers) {
    await expect.poll(() => server.asked.filter((text) => text !== 'who?').length).toBe(20);
    expect(new Set(server.asked.filter((text) => text !== 'who?'))).toEqual(new Set(questions));
  }
});

test('a request waits while nobody is there, and is not delivered once for each time that it was asked', async () => {
  const endpoint = await endpoints.unboundTcp();
  const requester = requesterOf({
    connect: endpoint,
    timeout: 20,
    retries: 100_000,
    reconnectMaxInterval: 100,
  });
  const waiting = requester.request('anybody?');
  await expect.poll(() => requester.stats().retries, { timeout: PATIENT }).toBeGreaterThan(20);
  const server = new Server('somebody', endpoint);
  expect(String(await within('the answer', waiting, PATIENT))).toBe('somebody');
  await untilAll(requester, 'somebody');
  expect(server.asked.filter((text) => text === 'anybody?').length).toBeLessThan(10);
});

test('a server that is gone is left out, and asked again when it is back', async () => {
  const [first, second] = [new Server('first'), new Server('second')];
  const connect = [first.endpoint, second.endpoint];
  const requester = requesterOf({ connect, timeout: PATIENT, reconnectMaxInterval: 100 });
  await untilAll(requester, 'first', 'second');
  first.close();
  const { retries } = requester.stats();
  const ask = async (): Promise<string> =>
    String(await requester.request('who?', { timeout: 500, retries: 20 }));
  await expect
    .poll(async () => [await ask(), await ask(), await ask()].join(), { timeout: PATIENT })
    .toBe('second,second,second');
  expect(requester.stats().retries - retries).toBeLessThanOrEqual(1);
  await freed(first.endpoint);
  new Server('first, again', first.endpoint);
  await untilAll(requester, 'first, again', 'second');
});

test('what is queued for a connection that is lost does not go to the next one', async () => {
  const bound = ofTest(new Router({ receiveHighWaterMark: 1, receiveBufferSize: 10_000, linger: 0 }));
  const endpoint = bound.bind(endpoints.tcp());
  const requester = requesterOf({ connect: endpoint, sendBufferSize: 10_000, reconnectMaxInterval: 100 });
  const given = Array.from({ length: 20 }, (_, n) =>
    requester.request([`given up ${n}`, Buffer.alloc(500_000)], { timeout: 300, retries: 0 }),
  );
  for (const outcome of await Promise.allSettled(given)) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(TimeoutError) });
  }
  bound.close();
  await freed(endpoint);
  const server = new Server('next', endpoint);
  const answer = requester.request('new', { timeout: 500, retries: 1000 });
  expect(String(await within('the next server answers', answer, PATIENT))).toBe('next');
  expect(new Set(server.asked)).toEqual(new Set(['new']));
});

test('what waits for the room of a server that hangs is asked of one that has nothing to do', async () => {
  const hanging = ofTest(new Router({ receiveHighWaterMark: 1, receiveBufferSize: 10_000, linger: 0 }));
  const working = new Server('working', endpoints.tcp(), {
    receiveHighWaterMark: 1,
    receiveBufferSize: 10_000,
  });
  const connect = [hanging.bind(endpoints.tcp()), working.endpoint];
  const requester = requesterOf({ connect, timeout: -1, sendHighWaterMark: 1, sendBufferSize: 10_000 });
  const asked = Array.from({ length: 100 }, (_, n) => requester.request([String(n), Buffer.alloc(200_000)]));
  // What the one that hangs was given: two high-water marks, and the system's buffers.
  await expect.poll(() => requester.stats().answered, { timeout: PATIENT }).toBeGreaterThan(80);
  const held = new Set<string>();
  void (async () => {
    for await (const [id, envelope, delimiter, question] of hanging) {
      held.add(String(question));
      await hanging.send([id!, envelope!, delimiter!, 'hanging']);
    }
  })();
  const answers = (await within('all answers', Promise.all(asked), PATIENT)).map(String);
  expect(new Set(answers)).toEqual(new Set(['hanging', 'working']));
  expect(working.asked.filter((text) => held.has(text))).toEqual([]);
  expect(working.asked.length + held.size).toBe(100);
});

test('all that waits for the room of a server that hangs goes to one that comes and has room', async () => {
  const hanging = ofTest(new Router({ receiveHighWaterMark: 1, receiveBufferSize: 10_000, linger: 0 }));
  const requester = requesterOf({
    connect: hanging.bind(endpoints.tcp()),
    timeout: -1,
    sendHighWaterMark: 100,
    sendBufferSize: 10_000,
    tcpMaxRetransmitTimeout: 0,
  });
  const large = Buffer.alloc(50_000);
  const asked = Array.from({ length: 180 }, (_, n) => requester.request([String(n), large]));
  requester.connect(new Server('working').endpoint);
  // The one that hangs keeps what it was given: two high-water marks, and the system's buffers.
  await expect.poll(() => requester.stats().answered, { timeout: PATIENT }).toBeGreaterThan(70);
  requester.close();
  await Promise.allSettled(asked);
});

test('requests for a server that is not there yet keep the process alive', async () => {
  const endpoint = await endpoints.unboundTcp();
  const client = startNode(
    `import { Requester } from 'zeromq-threads';
    const requester = new Requester({ connect: process.argv[2], timeout: -1 });
    console.log('asked');
    console.log(String(await requester.request('anybody?')));`,
    [endpoint],
  );
  await client.waitFor('it has asked', PATIENT, ({ lines }) => lines[0]);
  const exit = client.waitForExit('it is answered', PATIENT);
  expect(await isPending(exit, 500)).toBe(true);
  new Server('somebody', endpoint);
  expect(await exit, client.stderr).toMatchObject({ code: 0 });
  expect(client.lines).toEqual(['asked', 'somebody']);
});

test('with immediate: false requests are queued for a server that is not there yet', async () => {
  const endpoint = await endpoints.unboundTcp();
  const requester = requesterOf({ connect: endpoint, immediate: false, reconnectMaxInterval: 100 });
  await expect(requester.request('early', { timeout: 20, retries: 0 })).rejects.toThrow(TimeoutError);
  const server = new Server('late', endpoint);
  expect(String(await within('the next answer', requester.request('next'), PATIENT))).toBe('late');
  expect(server.asked).toEqual(['early', 'next']);
  expect(() => new Requester({ connect: endpoint, immediate: 1 as never })).toThrow('immediate: expected');
});

test.each([0, -1])(
  'with reconnectInterval: %i a connection that is lost is not made again',
  async (reconnectInterval) => {
    const server = new Server('first');
    const requester = requesterOf({ connect: server.endpoint, reconnectInterval, timeout: PATIENT });
    await untilAll(requester, 'first');
    server.close();
    await freed(server.endpoint);
    const next = new Server('next', server.endpoint);
    await expect(requester.request('once', { timeout: 1000, retries: 0 })).rejects.toThrow(TimeoutError);
    expect(next.asked).toEqual([]);
    requester.disconnect(server.endpoint);
    requester.connect(server.endpoint);
    await untilAll(requester, 'next');
  },
);

/** Listens, and closes what it has accepted when the test ends. @returns where */
async function listen(accept: (connection: Connection) => void): Promise<string> {
  const connections = new Set<Connection>();
  const server = createServer((connection) => {
    connections.add(connection);
    connection.on('error', () => {});
    accept(connection);
  });
  onTestFinished(() => {
    for (const connection of connections) connection.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Sends back what a ROUTER of ZMTP 2.0 would: of its handshake libzmq tells nothing. */
function echoOldFrames(connection: Connection): void {
  const ROUTER = 6;
  let before = 12 + 2; // a greeting, the socket type, and an identity of no bytes
  connection.on('data', (bytes) => {
    const skipped = Math.min(before, bytes.length);
    before -= skipped;
    connection.write(bytes.subarray(skipped));
  });
  connection.write(zmtp2(ROUTER));
}

test('a server that speaks ZMTP 2.0 is asked, and again when its connection was lost', async () => {
  const connections: Connection[] = [];
  const endpoint = await listen((connection) => {
    connections.push(connection);
    echoOldFrames(connection);
  });
  const requester = requesterOf({ connect: endpoint, timeout: PATIENT });
  expect(String(await within('the answer', requester.request('old'), PATIENT))).toBe('old');
  connections[0]!.destroy();
  const again = requester.request('again', { timeout: 500, retries: 100 });
  expect(String(await within('the next answer', again, PATIENT))).toBe('again');
  expect(connections.length).toBe(2);
});

test('a server that does not complete the handshake is not asked while another is there', async () => {
  const connect = [await listen(() => {}), new Server('a').endpoint];
  const requester = requesterOf({ connect, timeout: PATIENT });
  const asked = async (): Promise<string[]> => {
    const answers = Array.from({ length: 10 }, () => requester.request('who?'));
    return (await within('answers', Promise.all(answers), PATIENT)).map(String);
  };
  expect(await asked()).toEqual(Array(10).fill('a'));
  // That one is answered once it is clear that nothing more is heard of a handshake.
  const other = requesterOf({ connect: await listen(echoOldFrames), timeout: PATIENT });
  await within('an answer of the old server', other.request('old'), PATIENT);
  expect(await asked()).toEqual(Array(10).fill('a'));
  expect(requester.stats().retries).toBe(0);
});

test('connections that are lost again and again leave no sockets behind', async () => {
  const context = new Context({ maxSockets: 8 });
  const endpoint = await endpoints.unboundTcp();
  const requester = requesterOf({
    connect: endpoint,
    context,
    timeout: 100,
    retries: 1000,
    reconnectInterval: 10,
    reconnectMaxInterval: 20,
  });
  for (let n = 0; n < 20; n += 1) {
    const server = new Server(String(n), endpoint);
    expect(String(await within(`server ${n} answers`, requester.request('who?'), PATIENT))).toBe(String(n));
    server.close();
    await freed(endpoint);
  }
  requester.connect('tcp://127.0.0.1:1');
  requester.disconnect('tcp://127.0.0.1:1');
  requester.close();
  await within('its context closes', context.close());
});

test('a context that closes ends the requests of servers that are not there', async () => {
  const context = new Context();
  const endpoint = await endpoints.unboundTcp();
  const requester = requesterOf({ connect: endpoint, context, timeout: -1 });
  const homeless = requesterOf({ connect: endpoint, context, timeout: -1 });
  homeless.disconnect(endpoint);
  const requests = [requester.request('anybody?'), homeless.request('anybody?')];
  const outcomes = Promise.allSettled(requests);
  await context.close();
  for (const outcome of await within('the requests end', outcomes)) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(ContextClosedError) });
  }
  for (const one of [requester, homeless]) {
    expect(one.closed).toBe(true);
    await expect(one.request('after')).rejects.toThrow('Requester is closed');
  }
});

test('a Requester that nobody can reach any more is closed', async () => {
  const router = ofTest(new Router());
  const endpoint = router.bind(endpoints.tcp());
  let gone = 0;
  router.events.on('disconnect', () => (gone += 1));
  await (async () => {
    const requester = new Requester({ connect: endpoint, timeout: PATIENT });
    const answer = requester.request('hello');
    await router.send(await within('the request', router.recvMultipart()));
    await within('the answer', answer);
  })();
  const collected = async (): Promise<void> => {
    while (gone === 0) {
      (globalThis as unknown as { gc(): void }).gc();
      await turn();
    }
  };
  await within('its connection is closed', collected());
});

test('endpoints: connected once, taken away by another name, and those that are bound', async () => {
  const server = new Server('a');
  const { port } = new URL(server.endpoint);
  const requester = requesterOf({
    connect: [server.endpoint, server.endpoint],
    bind: endpoints.tcp(),
    timeout: PATIENT,
  });
  expect(requester.endpoints).toEqual([expect.any(String), server.endpoint]);
  await untilAll(requester, 'a');
  const [bound] = requester.endpoints;
  expect(() => requester.disconnect('tcp://127.0.0.1:1')).toThrow(/ENOENT/);
  expect(() => requester.disconnect('nowhere')).toThrow(/EINVAL/);
  requester.disconnect(bound!);
  await freed(bound!);
  requester.disconnect(`tcp://localhost:${port}`);
  expect(requester.endpoints).toEqual([]);
  const dealer = ofTest(new Dealer());
  dealer.connect(server.endpoint);
  requester.connect(server.endpoint);
  await untilAll(requester, 'a');
  requester.close();
  expect(() => requester.connect(server.endpoint)).toThrow('Requester is closed');
});
