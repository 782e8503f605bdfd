/** Socket types of libzmq's draft API, against a libzmq that has it: npm run test:draft. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ArgumentError, capability, Message, Poller, Pull, Push, Socket } from 'zeromq-threads';
import { Channel, Client, Datagram, Dish, Gather, Peer, Radio, Scatter, Server } from 'zeromq-threads/draft';

import { within } from '../bounded.js';
import { linked, ofTest } from '../linked.js';
import { buildDraftPeer, plainEnvironment } from '../peers/build.js';
import { endpoints, runNode } from '../peers/index.js';
import { LineProcess } from '../peers/line-process.js';

const text = async (socket: { recv(): Promise<Message> }, what = 'a message'): Promise<string> =>
  String(await within(what, socket.recv()));

/** A peer in C, once it is bound or connected. */
async function startDraftPeer(
  role: string,
  endpoint: string,
  count: number,
): Promise<{ endpoint: string; done: () => Promise<unknown> }> {
  const { command } = buildDraftPeer();
  const child = new LineProcess(command, [role, endpoint, String(count)], {
    name: `draft peer ${role}`,
    env: plainEnvironment(),
  });
  const lineWith = (property: string) =>
    child.waitFor(`it says ${property}`, 20_000, () =>
      child.lines.map((line) => JSON.parse(line)).find((line) => property in line),
    );
  const ready = (await lineWith('ready')) as unknown as { endpoint: string };
  return { endpoint: ready.endpoint, done: () => lineWith('ok') };
}

/** Sends to a group until a message of it arrives: a RADIO does not tell who has joined. */
async function joined(radio: InstanceType<typeof Radio>, dish: InstanceType<typeof Dish>, group: string) {
  const first = dish.recv();
  let here = false;
  void first.then(() => {
    here = true;
  });
  while (!here) {
    await radio.send('are you there?', { group });
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await radio.send('the last one', { group });
  for (let message = await first; String(message) !== 'the last one'; ) message = await dish.recv();
}

describe.skipIf(!capability.draft)('draft socket types', () => {
  describe.each(['tcp', 'ipc', 'inproc'] as const)('over %s', (transport) => {
    it('SERVER and CLIENT: replies go to who asked', async () => {
      const server = ofTest(new Server());
      const endpoint = server.bind(endpoints[transport]());
      const clients = [0, 1, 2].map(() => {
        const client = ofTest(new Client());
        client.connect(endpoint);
        return client;
      });
      for (const [n, client] of clients.entries()) await client.send(`from ${n}`);
      const requests: Message[] = [];
      for (const _ of clients) requests.push(await within('a request', server.recv()));
      expect(new Set(requests.map(({ routingId }) => routingId)).size).toBe(3);
      for (const request of requests) {
        expect(request.routingId).toBeGreaterThan(0);
        expect(request.group).toBe(undefined);
        await server.send(`to ${String(request).at(-1)}`, { routingId: request.routingId! });
      }
      for (const [n, client] of clients.entries()) expect(await text(client)).toBe(`to ${n}`);
      // A message goes back to whom it came from.
      await server.send(requests[0]!);
      const who = Number(String(requests[0]).at(-1));
      expect(await text(clients[who]!)).toBe(`from ${who}`);
    });

    it('RADIO and DISH: groups that were joined, and no others', async () => {
      const [radio, dish] = linked(new Radio(), new Dish(), endpoints[transport]());
      const long = 'g'.repeat(255);
      dish.join('weather', long, 'über');
      await joined(radio, dish, 'über');
      for (const group of ['weather', 'news', long, 'über']) await radio.send(group, { group });
      const message = Message.from('in a group of its own');
      message.group = 'weather';
      await radio.send(message);
      for (const group of ['weather', long, 'über']) {
        const received = await within('a message', dish.recv());
        expect([String(received), received.group]).toEqual([group, group]);
        expect(received.routingId).toBe(undefined);
      }
      expect(await text(dish)).toBe('in a group of its own');
      dish.leave('weather');
      await expect
        .poll(async () => {
          await radio.send('after leaving', { group: 'weather' });
          await radio.send('the end', { group: long });
          const seen: string[] = [];
          do seen.push(await text(dish));
          while (seen.at(-1) !== 'the end');
          return seen;
        })
        .toEqual(['the end']);
    });

    it('GATHER and SCATTER: each message to one', async () => {
      const scatter = ofTest(new Scatter());
      const endpoint = scatter.bind(endpoints[transport]());
      const gathers = [ofTest(new Gather()), ofTest(new Gather())];
      for (const gather of gathers) gather.connect(endpoint);
      const got: string[] = [];
      const collecting = gathers.map(async (gather) => {
        for await (const [message] of gather) {
          got.push(String(message));
          if (got.length === 100) for (const one of gathers) one.close();
        }
      });
      for (let n = 0; n < 100; n += 1) await scatter.send(`${n}`);
      await within('all are here', Promise.all(collecting));
      expect(got.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n));
    });

    it('CHANNEL: both ways', async () => {
      const [left, right] = linked(new Channel(), new Channel(), endpoints[transport]());
      for (let n = 0; n < 10; n += 1) {
        await left.send(`ping ${n}`);
        expect(await text(right)).toBe(`ping ${n}`);
        await right.send(`pong ${n}`);
        expect(await text(left)).toBe(`pong ${n}`);
      }
    });

    it('PEER: by the routing id that connecting gives', async () => {
      const [a, b] = [ofTest(new Peer()), ofTest(new Peer())];
      const routingId = b.connectPeer(a.bind(endpoints[transport]()));
      expect(routingId).toBeGreaterThan(0);
      await b.send('hello', { routingId });
      const message = await within('a message', a.recv());
      expect(String(message)).toBe('hello');
      await a.send('and back', { routingId: message.routingId! });
      const answer = await within('the answer', b.recv());
      expect([String(answer), answer.routingId]).toEqual(['and back', routingId]);
    });
  });

  it('DGRAM: datagrams, with the address of who sent them', async () => {
    const datagram = ofTest(new Datagram());
    const peer = createSocket('udp4');
    onTestFinished(() => {
      peer.close();
    });
    peer.bind(0, '127.0.0.1');
    await once(peer, 'listening');
    // Below the ports that systems give out by themselves, so that nobody is given it meanwhile.
    const port = 20_000 + (process.pid % 10_000);
    datagram.bind(`udp://127.0.0.1:${port}`);
    const receiving = datagram.receive();
    let here = false;
    void receiving.then(() => {
      here = true;
    });
    // libzmq binds in the background: what comes before that is lost, as datagrams may be.
    while (!here) {
      peer.send('hello', port, '127.0.0.1');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const [from, payload] = await receiving;
    expect(String(payload)).toBe('hello');
    expect(from!.toString().replace('\0', '')).toBe(`127.0.0.1:${peer.address().port}`);
    const answer = once(peer, 'message');
    await datagram.send([from!, 'and back']);
    expect(String((await within('the answer', answer))[0])).toBe('and back');
  });

  describe('with peers in C', () => {
    it('SERVER there, CLIENT here', async () => {
      const { endpoint, done } = await startDraftPeer('server', 'tcp://127.0.0.1:*', 1000);
      const client = ofTest(new Client());
      client.connect(endpoint);
      for (let n = 0; n < 1000; n += 1) {
        await client.send(`${n}`);
        expect(await text(client)).toBe(`${n}`);
      }
      expect(await done()).toMatchObject({ ok: true, count: 1000 });
    });

    it('CLIENTs there, SERVER here', async () => {
      const server = ofTest(new Server());
      const endpoint = server.bind('tcp://127.0.0.1:*');
      const peers = await Promise.all([1, 2, 3].map(() => startDraftPeer('client', endpoint, 1000)));
      void (async () => {
        for await (const [request] of server) await server.send(request!);
      })();
      for (const peer of peers) expect(await peer.done()).toMatchObject({ ok: true, count: 1000 });
    });

    it('RADIO there, DISH here', async () => {
      const { endpoint } = await startDraftPeer('radio', 'tcp://127.0.0.1:*', 0);
      const dish = ofTest(new Dish());
      dish.join('odd');
      dish.connect(endpoint);
      let last = -1;
      for (let n = 0; n < 200; n += 1) {
        const message = await within('a message', dish.recv());
        expect([message.group, Number(String(message)) % 2]).toEqual(['odd', 1]);
        expect(Number(String(message))).toBeGreaterThan(last);
        last = Number(String(message));
      }
    });

    it('DISH there, RADIO here', async () => {
      const radio = ofTest(new Radio());
      const peer = await startDraftPeer('dish', radio.bind('tcp://127.0.0.1:*'), 100);
      let over = false;
      const done = peer.done().finally(() => {
        over = true;
      });
      for (let n = 0; !over; n += 1) {
        await radio.send(`${n}`, { group: n % 2 === 0 ? 'even' : 'odd' });
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      expect(await done).toMatchObject({ ok: true, count: 100 });
    });
  });

  describe('receiving', () => {
    const counted = 20_000;

    it.each(['recv', 'for await', 'batches', 'recvSync', 'tryRecv'] as const)(
      'by %s: every message, in order, with its routing id',
      async (how) => {
        const [server, client] = linked(new Server(), new Client());
        const sending = (async () => {
          for (let n = 0; n < counted; n += 1) await client.send(`${n}`);
        })();
        const seen: [string, number | undefined][] = [];
        const see = (message: Message) => void seen.push([String(message), message.routingId]);
        if (how === 'recv') while (seen.length < counted) see(await within('a message', server.recv()));
        if (how === 'for await') {
          for await (const [message] of server) {
            see(message!);
            if (seen.length === counted) break;
          }
        }
        if (how === 'batches') {
          for await (const batch of server.batches()) {
            for (let index = 0; index < batch.length; index += 1) see(batch.at(index));
            if (seen.length === counted) break;
          }
        }
        if (how === 'recvSync') {
          await sending;
          while (seen.length < counted) see(server.recvSync({ timeout: 20_000 }));
        }
        while (how === 'tryRecv' && seen.length < counted) {
          const message = server.tryRecv();
          if (message !== undefined) see(message);
          else await new Promise((resolve) => setImmediate(resolve));
        }
        await sending;
        expect(seen.map(([number]) => Number(number))).toEqual(Array.from({ length: counted }, (_, n) => n));
        expect(new Set(seen.map(([, routingId]) => routingId)).size).toBe(1);
      },
    );

    it('large messages, and kept ones, keep their routing ids', async () => {
      const server = ofTest(new Server());
      const endpoint = server.bind('tcp://127.0.0.1:*');
      const clients = [ofTest(new Client()), ofTest(new Client())];
      for (const client of clients) client.connect(endpoint);
      const kept: { size: number; who: number; message: Message }[] = [];
      const ids = new Map<number, number>();
      for (const size of [0, 1, 33, 1025, 20_000, 3_000_000]) {
        for (const [who, client] of clients.entries()) {
          await client.send(Buffer.alloc(size, who));
          const message = await within('a message', server.recv());
          ids.set(who, ids.get(who) ?? message.routingId!);
          kept.push({ size, who, message });
        }
      }
      expect(ids.get(0)).not.toBe(ids.get(1));
      for (const { size, who, message } of kept) {
        expect([message.length, message.routingId]).toEqual([size, ids.get(who)]);
        expect(message.equals(Buffer.alloc(size, who))).toBe(true);
      }
    });

    it('with a poller, among sockets of other types', async () => {
      const [server, client] = linked(new Server(), new Client());
      const [pull, push] = linked(new Pull(), new Push());
      const poller = new Poller([server, pull]);
      onTestFinished(() => poller.close());
      for (let n = 0; n < 200; n += 1) {
        const waiting = poller.wait();
        const [sender, receiver] = n % 3 === 0 ? [push, pull] : [client, server];
        await sender.send(`${n}`);
        expect((await within('the poller tells', waiting)).socket).toBe(receiver);
        expect(String(receiver.tryRecv())).toBe(`${n}`);
      }
    });

    it('in the thread that a busy event loop leaves it to, and by an I/O worker of its own', async () => {
      const [server, client] = linked(new Server({ dedicatedWorker: true }), new Client());
      const sending = (async () => {
        for (let n = 0; n < 2000; n += 1) await client.send(`${n}`);
      })();
      for (let n = 0; n < 2000; n += 1) {
        expect(await text(server)).toBe(`${n}`);
        if (n % 100 === 0) for (const until = performance.now() + 5; performance.now() < until; );
      }
      await sending;
    });

    it('while it waits it costs no CPU, and closing ends the wait', async () => {
      const server = ofTest(new Server());
      server.bind('tcp://127.0.0.1:*');
      const waiting = server.recv().catch((error: Error) => error.name);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const before = process.cpuUsage();
      await new Promise((resolve) => setTimeout(resolve, 500));
      const { user, system } = process.cpuUsage(before);
      // A loop that spins takes all of it.
      expect((user + system) / 1000).toBeLessThan(250);
      server.close();
      expect(await within('the wait ends', waiting)).toBe('SocketClosedError');
    });
  });

  describe('refuses', () => {
    it('routing ids that are none, or of nobody', async () => {
      const server = ofTest(new Server());
      server.bind('tcp://127.0.0.1:*');
      await expect(server.send('x')).rejects.toThrow(/^routingId: expected an integer from 1 to 4294967295/);
      for (const routingId of [0, -1, 1.5, 2 ** 32, '7' as never]) {
        await expect(server.send('x', { routingId })).rejects.toThrow(ArgumentError);
      }
      await expect(server.send('x', { routingId: 4711 })).rejects.toMatchObject({ code: 'EHOSTUNREACH' });
      const message = Message.from('x');
      expect(() => {
        message.routingId = 0;
      }).toThrow(ArgumentError);
      expect(message.routingId).toBe(undefined);
    });

    it('groups that are none, too long, or not joined', async () => {
      const radio = ofTest(new Radio());
      const dish = ofTest(new Dish());
      await expect(radio.send('x')).rejects.toThrow(/^group: expected a string of 1 to 255 bytes/);
      for (const group of ['', 'a\0b', 'x'.repeat(256), 'ü'.repeat(128), 7 as never]) {
        await expect(radio.send('x', { group })).rejects.toThrow(ArgumentError);
        expect(() => dish.join(group)).toThrow(ArgumentError);
        expect(() => dish.leave(group)).toThrow(ArgumentError);
      }
      dish.join('a');
      expect(() => dish.join('a')).toThrow(expect.objectContaining({ code: 'EINVAL' }));
      expect(() => dish.leave('b')).toThrow(expect.objectContaining({ code: 'EINVAL' }));
      dish.leave('a');
      expect(() => dish.leave('a')).toThrow(/Cannot leave the group 'a'/);
    });

    it.each(['SERVER', 'CLIENT', 'RADIO', 'SCATTER', 'PEER', 'CHANNEL'] as const)(
      'messages of several frames: %s',
      async (type) => {
        const socket = ofTest(new Socket(type));
        await expect(socket.send(['a', 'b'])).rejects.toThrow(
          `data: expected one frame, as ${type} sockets have it, got 2`,
        );
        await expect(socket.send('a', { more: true })).rejects.toThrow(/^more: expected false/);
        expect(() => socket.trySend([])).toThrow(ArgumentError);
      },
    );

    it('tags and members that other types have', async () => {
      const client = ofTest(new Client());
      const push = ofTest(new Push());
      for (const socket of [client, push]) {
        await expect(socket.send('x', { group: 'g' })).rejects.toMatchObject({ code: 'ENOTSUP' });
        await expect(socket.send('x', { routingId: 1 })).rejects.toMatchObject({ code: 'ENOTSUP' });
      }
      const generic = ofTest(new Socket('CLIENT'));
      expect(() => generic.join('g')).toThrow(/join is not supported by CLIENT sockets/);
      expect(() => generic.connectPeer('tcp://127.0.0.1:1')).toThrow(
        /connectPeer is not supported by CLIENT/,
      );
    });
  });

  it('many come and go with messages in flight, and nothing is left behind', async () => {
    const result = await runNode(
      `import { readdirSync } from 'node:fs';
       import { context } from 'zeromq-threads';
       import { Client, Server } from 'zeromq-threads/draft';
       const round = async () => {
         const server = new Server();
         const clients = [new Client(), new Client()];
         for (const client of clients) client.connect(server.bind('tcp://127.0.0.1:*'));
         for (const client of clients) for (let n = 0; n < 20; n += 1) await client.send('request ' + n);
         for (let n = 0; n < 10; n += 1) {
           const request = await server.recv();
           await server.send(request);
         }
         const late = server.recv().then(() => 0, () => 0);
         for (const socket of [server, ...clients]) socket.close({ linger: 0 });
         await late;
       };
       const count = () => readdirSync('/proc/self/fd').length;
       await round();
       // An I/O worker has some of its own, and may start at any time.
       const most = count() + 10;
       for (let n = 0; n < 100; n += 1) await round();
       // libzmq closes in the background.
       for (let n = 0; n < 500 && count() > most; n += 1) await new Promise((resolve) => setTimeout(resolve, 10));
       console.log(count() <= most ? 'clean' : count() + ' descriptors');
       await context().close();`,
      [],
      { step: 'a hundred rounds', timeout: 30_000 },
    );
    expect(result).toMatchObject({ code: 0, signal: null, stderr: '', lines: ['clean'] });
  });
});
