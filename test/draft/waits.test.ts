/** Draft socket types that wait: at the high-water mark, in pollers, in other threads, and until somebody closes. */
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  Context,
  capability,
  curveKeyPair,
  type Handle,
  Message,
  Poller,
  Socket,
  type SocketTypeName,
} from 'zeromq-threads';
import { Channel, Client, Dish, Gather, Peer, Scatter, Server } from 'zeromq-threads/draft';

import { isPending, within } from '../bounded.js';
import { linked, ofTest } from '../linked.js';
import { endpoints, runNode } from '../peers/index.js';
import { type Body, spawn } from '../threads.js';

const TINY = { sendHighWaterMark: 1, receiveHighWaterMark: 1 };
const NUMBERS = Array.from({ length: 3000 }, (_, n) => n);
const MARKED = ['SCATTER', 'CLIENT', 'CHANNEL', 'SERVER', 'PEER'] as const;

/** Two linked sockets, and how the first sends to the second; both have the smallest high-water marks. */
async function tinyPair(type: (typeof MARKED)[number], endpoint: string) {
  switch (type) {
    case 'SCATTER': {
      const [to, from] = linked(
        new Gather({ receiveHighWaterMark: 1 }),
        new Scatter({ sendHighWaterMark: 1 }),
        endpoint,
      );
      return { to, send: (data: string) => from.send(data) };
    }
    case 'CLIENT': {
      const [to, from] = linked(new Server(TINY), new Client(TINY), endpoint);
      return { to, send: (data: string) => from.send(data) };
    }
    case 'CHANNEL': {
      const [to, from] = linked(new Channel(TINY), new Channel(TINY), endpoint);
      return { to, send: (data: string) => from.send(data) };
    }
    case 'SERVER': {
      const [from, to] = linked(new Server(TINY), new Client(TINY), endpoint);
      await to.send('here');
      const { routingId } = await within('the client is there', from.recv());
      return { to, send: (data: string) => from.send(data, { routingId: routingId! }) };
    }
    case 'PEER': {
      const [to, from] = [ofTest(new Peer(TINY)), ofTest(new Peer(TINY))];
      const routingId = from.connectPeer(to.bind(endpoint));
      return { to, send: (data: string) => from.send(data, { routingId }) };
    }
  }
}

const answer: Body<Handle<'socket'>> = async ({ zmq }, handle, port) => {
  const server = zmq.Socket.attach(handle);
  port.postMessage('attached');
  for await (const [request] of server) await server.send(request!);
  port.postMessage('closed');
};

/** Blocks until it has what it waits for, or the socket is closed. */
const block: Body<Handle<'socket'>> = ({ zmq }, handle, port) => {
  const server = zmq.Socket.attach(handle);
  port.postMessage('attached');
  try {
    port.postMessage(String(server.recvSync()));
  } catch (error) {
    port.postMessage((error as Error).name);
  }
};

describe.skipIf(!capability.draft)('draft sockets (skipped where libzmq has no draft API)', () => {
  describe.each(['tcp', 'inproc'] as const)('at the smallest high-water mark, over %s', (transport) => {
    it.each(MARKED)('%s: sends wait, and all arrive in order', async (type) => {
      const { to, send } = await tinyPair(type, endpoints[transport]());
      const seen: number[] = [];
      const sending = (async () => {
        for (const n of NUMBERS) await send(`${n}`);
      })();
      while (seen.length < NUMBERS.length) {
        seen.push(Number(String(await within(`message ${seen.length}`, to.recv()))));
      }
      await within('the last send is accepted', sending);
      expect(seen).toEqual(NUMBERS);
    });

    it.each(MARKED)('%s: many sends at once', async (type) => {
      const { to, send } = await tinyPair(type, endpoints[transport]());
      const sending = Promise.all(NUMBERS.map((n) => send(`${n}`)));
      const seen: number[] = [];
      for await (const [message] of to) {
        if (seen.push(Number(String(message))) === NUMBERS.length) break;
      }
      await within('all sends are accepted', sending);
      expect(seen).toEqual(NUMBERS);
    });
  });

  it('a large message that waits keeps its routing id when the socket gets an inproc endpoint', async () => {
    const server = ofTest(new Server({ sendHighWaterMark: 1 }));
    const client = ofTest(new Client({ receiveHighWaterMark: 1 }));
    client.connect(server.bind(endpoints.tcp()));
    await client.send('here');
    const { routingId } = await within('the client is there', server.recv());
    const large = Message.from(Buffer.alloc(100_000, 9));
    const sends: Promise<void>[] = [];
    do sends.push(server.send(large, { routingId: routingId! }));
    while (!(await isPending(sends.at(-1)!, 20)));
    server.bind(endpoints.inproc());
    for (const _ of sends) {
      expect((await within('a message', client.recv())).equals(large)).toBe(true);
    }
    await within('all sends are accepted', Promise.all(sends));
  });

  it('what signals while a socket only sends does not wake it again and again afterwards', async () => {
    const result = await runNode(
      `import { performance } from 'node:perf_hooks';
       import { Client, Server } from 'zeromq-threads/draft';
       const [server, client] = [new Server({ receiveHighWaterMark: 1 }), new Client({ sendHighWaterMark: 4 })];
       client.connect(server.bind('tcp://127.0.0.1:*'));
       let received = 0;
       void (async () => { for await (const _ of server) received += 1; })();
       for (let n = 0; n < 1000; n += 1) {
         await client.send('x');
         while (received <= n) await new Promise((resolve) => setTimeout(resolve, 1));
       }
       const turns = () => performance.nodeTiming.uvMetricsInfo.loopCount;
       const waiting = client.recv({ timeout: 300 }).catch(() => {});
       const before = turns();
       await waiting;
       console.log(turns() - before < 50 ? 'calm' : turns() - before + ' turns');
       process.exit();`,
      [],
      { step: 'a thousand sends, and a wait', timeout: 30_000 },
    );
    expect(result).toMatchObject({ code: 0, stderr: '', lines: ['calm'] });
  });

  it('poller.waitSync() and tryRecv()', () => {
    const [server, client] = linked(new Server(), new Client());
    const other = ofTest(new Dish());
    const poller = new Poller<Socket>([server, other] as never);
    onTestFinished(() => poller.close());
    for (let n = 0; n < 100; n += 1) {
      client.sendSync(`${n}`);
      expect(poller.waitSync({ timeout: 10_000 }).socket).toBe(server);
      const message = server.tryRecv()!;
      expect([String(message), message.routingId! > 0]).toEqual([`${n}`, true]);
    }
    expect(() => poller.waitSync({ timeout: 0 })).toThrow(/timed out/);
  });

  it('a poller tells of room', async () => {
    const [gather, scatter] = linked(
      new Gather({ receiveHighWaterMark: 1 }),
      new Scatter({ sendHighWaterMark: 1 }),
      endpoints.inproc(),
    );
    while (scatter.trySend('x'));
    const poller = new Poller([{ socket: scatter, readable: false, writable: true }]);
    onTestFinished(() => poller.close());
    const waiting = poller.wait();
    expect(await isPending(waiting)).toBe(true);
    while (gather.tryRecv() !== undefined);
    expect(await within('there is room', waiting)).toMatchObject({ socket: scatter, writable: true });
  });

  it('threads answer on one SERVER, each to who asked', async () => {
    const server = ofTest(new Server());
    const endpoint = server.bind(endpoints.tcp());
    const handle = server.share();
    const threads = [spawn(answer, handle), spawn(answer, handle)];
    for (const thread of threads) await thread.message('it has attached');
    const clients = [0, 1, 2].map(() => ofTest(new Client()));
    await Promise.all(
      clients.map(async (client, who) => {
        client.connect(endpoint);
        for (let n = 0; n < 500; n += 1) {
          await client.send(`${who} ${n}`);
          expect(String(await within('an answer', client.recv()))).toBe(`${who} ${n}`);
        }
      }),
    );
    server.close();
    for (const thread of threads) expect(await thread.message('it knows of the end')).toBe('closed');
  });

  describe('close() while somebody receives', () => {
    it.each(['SERVER', 'CLIENT', 'DISH', 'GATHER', 'PEER', 'CHANNEL', 'DGRAM'] as const)(
      '%s',
      async (type) => {
        const socket = ofTest(new Socket(type));
        const receives = [socket.recv(), socket.receive(), socket.recv('utf8')];
        const outcomes = Promise.allSettled(receives);
        expect(await isPending(Promise.race(receives))).toBe(true);
        socket.close();
        for (const outcome of await within('all of them end', outcomes)) {
          expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'SocketClosedError' } });
        }
        expect(() => socket.tryRecv()).toThrow(/closed/);
      },
    );

    it('for await and batches() end', async () => {
      for (const mode of ['messages', 'batches'] as const) {
        const server = ofTest(new Server());
        const looping = (async () => {
          for await (const _ of mode === 'messages' ? server : server.batches());
        })();
        expect(await isPending(looping)).toBe(true);
        server.close();
        await within('the loop ends', looping);
      }
    });

    it('a thread that blocks in recvSync()', async () => {
      const server = ofTest(new Server());
      const thread = spawn(block, server.share());
      await thread.message('it has attached');
      server.close();
      expect(await thread.message('it ends')).toBe('SocketClosedError');
      await thread.ended('the thread ends');
    });

    it('a poller that watches', async () => {
      const server = ofTest(new Server());
      const poller = new Poller([server]);
      onTestFinished(() => poller.close());
      const waiting = poller.wait();
      server.close();
      await expect(within('the wait ends', waiting)).rejects.toMatchObject({ name: 'PollerClosedError' });
    });

    it('the context, with one of each type', async () => {
      const context = new Context();
      const types: SocketTypeName[] = [
        'SERVER',
        'CLIENT',
        'RADIO',
        'DISH',
        'GATHER',
        'SCATTER',
        'PEER',
        'CHANNEL',
        'DGRAM',
      ];
      const outcomes = types.map(async (type) => {
        const socket = new Socket(context, type);
        await socket.recv().catch((error: Error & { code: string }) => {
          expect(['ETERM', 'ENOTSUP']).toContain(error.code);
        });
      });
      await within('the context closes', context.close({ timeout: 5000 }));
      await within('all of them end', Promise.all(outcomes));
    });
  });

  it('a thread that is terminated in the midst of receiving leaves the socket to others', async () => {
    const server = ofTest(new Server());
    const client = ofTest(new Client());
    client.connect(server.bind(endpoints.tcp()));
    const thread = spawn(block, server.share());
    await thread.message('it has attached');
    await thread.terminate('it ends');
    await client.send('for who is left');
    expect(String(await within('a message', server.recv()))).toBe('for who is left');
  });

  describe('options', () => {
    it('CURVE', async () => {
      const [mine, theirs] = [curveKeyPair(), curveKeyPair()];
      const server = new Server({ curveServer: true, curveSecretKey: theirs.secretKey });
      const client = new Client({
        curvePublicKey: mine.publicKey,
        curveSecretKey: mine.secretKey,
        curveServerKey: theirs.publicKey,
      });
      linked(server, client);
      await client.send('in secret');
      const request = await within('the request', server.recv());
      await server.send('too', { routingId: request.routingId! });
      expect(await within('the reply', client.recv('utf8'))).toBe('too');
    });

    it('disconnectMessage says who has gone', async () => {
      const server = ofTest(new Server());
      server.disconnectMessage = 'gone';
      const client = ofTest(new Client());
      client.connect(server.bind(endpoints.tcp()));
      await client.send('here');
      const { routingId } = await within('the client is there', server.recv());
      client.close();
      const message = await within('the client is gone', server.recv());
      expect([String(message), message.routingId]).toEqual(['gone', routingId]);
      // Nobody has that id any more.
      await expect
        .poll(() => server.send('x', { routingId: routingId! }).catch(({ code }) => code))
        .toBe('EHOSTUNREACH');
    });

    it('helloMessage comes first', async () => {
      const server = ofTest(new Server({ helloMessage: 'welcome' }));
      const client = ofTest(new Client());
      client.connect(server.bind(endpoints.tcp()));
      expect(await within('the greeting', client.recv('utf8'))).toBe('welcome');
    });

    it('immediate and connectPeer() exclude each other', () => {
      const peer = ofTest(new Peer({ immediate: true }));
      expect(() => peer.connectPeer('tcp://127.0.0.1:1')).toThrow(
        expect.objectContaining({
          code: 'ENOTSUP',
          message: expect.stringContaining('while immediate is set'),
        }),
      );
      peer.immediate = false;
      expect(peer.connectPeer('tcp://127.0.0.1:1')).toBeGreaterThan(0);
    });

    it('threadSafe is true of what libzmq locks', () => {
      for (const [type, safe] of [
        ['SERVER', true],
        ['RADIO', true],
        ['DGRAM', false],
        ['PULL', false],
      ] as const) {
        expect(ofTest(new Socket(type)).threadSafe, type).toBe(safe);
      }
    });
  });

  it('a batch that is retained keeps its routing ids', async () => {
    const [server, client] = linked(new Server(), new Client());
    await client.send('kept');
    const { value: batch } = await within('a batch', server.batches().next());
    const [[message]] = [...batch!.retain()] as [[Message]];
    const { routingId } = message;
    for (let n = 0; n < 5000; n += 1) await client.send(`number ${n}`);
    for (let n = 0; n < 5000; n += 1) await server.recv();
    expect([String(message), message.routingId]).toEqual(['kept', routingId]);
    await server.send(message);
    expect(await within('it comes back', client.recv('utf8'))).toBe('kept');
  });
});
