/** DGRAM, and RADIO and DISH over udp: what libzmq would drop, mangle or end the process over is refused. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ArgumentError, capability, type Message, proxy } from 'zeromq-threads';
import { Channel, Client, Datagram, Dish, Gather, Peer, Radio, Scatter, Server } from 'zeromq-threads/draft';

import { isPending, within } from '../bounded.js';
import { ofTest } from '../linked.js';

/** A plain socket, for libzmq to talk to. */
async function plainSocket(): Promise<{ udp: UdpSocket; port: number }> {
  const udp = createSocket('udp4');
  onTestFinished(() => {
    udp.close();
  });
  udp.bind(0, '127.0.0.1');
  await once(udp, 'listening');
  return { udp, port: udp.address().port };
}

/** A port that was free just now. */
async function freePort(): Promise<number> {
  const udp = createSocket('udp4');
  udp.bind(0, '127.0.0.1');
  await once(udp, 'listening');
  const { port } = udp.address();
  await new Promise<void>((resolve) => udp.close(() => resolve()));
  return port;
}

/** Sends until something arrives: libzmq binds in the background, and what comes before that is lost. */
async function until<Value>(arrival: Promise<Value>, send: () => Promise<unknown>): Promise<Value> {
  while (await isPending(arrival, 1)) await send();
  return arrival;
}

describe.skipIf(!capability.draft)('DGRAM (skipped where libzmq has no draft API)', () => {
  it('talks to another DGRAM, both ways', async () => {
    const [a, b] = [ofTest(new Datagram()), ofTest(new Datagram())];
    const [here, there] = [await freePort(), await freePort()];
    a.bind(`udp://127.0.0.1:${here}`);
    b.bind(`udp://127.0.0.1:${there}`);
    const first = await until(b.receive(), () => a.send([`127.0.0.1:${there}`, 'ping']));
    expect(first.map((frame) => String(frame).replace('\0', ''))).toEqual([`127.0.0.1:${here}`, 'ping']);
    const answer = await until(a.receive(), () => b.send([first[0]!, 'pong']));
    expect(String(answer[1])).toBe('pong');
    expect(answer.length).toBe(2);
  });

  it('waits with sending until it has an endpoint', async () => {
    const { udp, port } = await plainSocket();
    const datagram = ofTest(new Datagram());
    const arrival = once(udp, 'message');
    const sending = datagram.send([`127.0.0.1:${port}`, 'early']);
    expect(datagram.trySend([`127.0.0.1:${port}`, 'now'])).toBe(false);
    expect(await isPending(sending)).toBe(true);
    datagram.bind(`udp://127.0.0.1:${await freePort()}`);
    await within('the send is accepted', sending);
    expect(String((await within('the datagram arrives', arrival))[0])).toBe('early');
  });

  it('refuses what is no address and a payload, and sends the next all the same', async () => {
    const { udp, port } = await plainSocket();
    const datagram = ofTest(new Datagram());
    datagram.bind(`udp://127.0.0.1:${await freePort()}`);
    const to = `127.0.0.1:${port}`;
    await expect(datagram.send('x')).rejects.toThrow(/^data: expected an address and a payload/);
    await expect(datagram.send([to])).rejects.toThrow(/got 1 frames$/);
    await expect(datagram.send([to, 'x', 'y'])).rejects.toThrow(/got 3 frames$/);
    await expect(datagram.send(to, { more: true })).rejects.toThrow(/^more: expected false/);
    for (const address of [
      '',
      'x',
      '127.0.0.1',
      '127.0.0.1:0',
      '127.0.0.1:65536',
      'localhost:5',
      '[::1]:5',
    ]) {
      await expect(datagram.send([address, 'x'])).rejects.toThrow(/^data\[0\]: expected an address such as/);
      expect(() => datagram.sendSync([address, 'x'])).toThrow(ArgumentError);
    }
    const arrival = once(udp, 'message');
    await datagram.send([to, 'and now']);
    expect(String((await within('the datagram arrives', arrival))[0])).toBe('and now');
  });

  it('refuses payloads that libzmq has no room for, and sends the largest that it has', async () => {
    const { udp, port } = await plainSocket();
    const datagram = ofTest(new Datagram());
    datagram.bind(`udp://127.0.0.1:${await freePort()}`);
    for (const size of [8193, 16 * 1024, 1_000_000]) {
      const sending = datagram.send([`127.0.0.1:${port}`, Buffer.alloc(size)]);
      await expect(sending).rejects.toMatchObject({ code: 'EMSGSIZE' });
      await expect(sending).rejects.toThrow(/a datagram of libzmq has 8192 bytes at most/);
    }
    const arrival = once(udp, 'message');
    await datagram.send([`127.0.0.1:${port}`, Buffer.alloc(8192, 7)]);
    const [bytes] = (await within('the datagram arrives', arrival)) as [Buffer];
    expect(bytes.equals(Buffer.alloc(8192, 7))).toBe(true);
  });
});

describe.skipIf(!capability.draft)('RADIO and DISH over udp (skipped where libzmq has no draft API)', () => {
  it('pass groups and bytes, the largest that there can be among them', async () => {
    const endpoint = `udp://127.0.0.1:${await freePort()}`;
    const [radio, dish] = [ofTest(new Radio()), ofTest(new Dish())];
    const longest = 'g'.repeat(127);
    dish.join('a', longest);
    dish.bind(endpoint);
    radio.connect(endpoint);
    let message: Message = await until(dish.recv(), () => radio.send('x', { group: 'a' }));
    expect([String(message), message.group]).toEqual(['x', 'a']);
    await radio.send('nobody joined', { group: 'b' });
    const whole = Buffer.alloc(8192 - 1 - 127, 5);
    const arrival = (async () => {
      do message = await dish.recv();
      while (message.group === 'a');
      return message;
    })();
    await until(arrival, () => radio.send(whole, { group: longest }));
    expect(message.group).toBe(longest);
    expect(message.equals(whole)).toBe(true);
  });

  it('refuse what libzmq has no room for, or would end the other side', async () => {
    const radio = ofTest(new Radio());
    radio.connect(`udp://127.0.0.1:${await freePort()}`);
    for (const [size, length] of [
      [8192 - 1, 1],
      [8192 - 127, 127],
      [1_000_000, 1],
      [0, 128],
      [0, 255],
    ] as const) {
      const sending = radio.send(Buffer.alloc(size), { group: 'g'.repeat(length) });
      await expect(sending, `${size} bytes, group of ${length}`).rejects.toMatchObject({ code: 'EMSGSIZE' });
    }
    await radio.send(Buffer.alloc(8190), { group: 'g' });
  });

  it('have no such limits elsewhere', async () => {
    const [radio, dish] = [ofTest(new Radio()), ofTest(new Dish())];
    const group = 'g'.repeat(255);
    dish.join(group);
    dish.connect(radio.bind('tcp://127.0.0.1:*'));
    const large = Buffer.alloc(100_000, 3);
    const message = await until(dish.recv(), () => radio.send(large, { group }));
    expect(message.group).toBe(group);
    expect(message.equals(large)).toBe(true);
  });
});

describe.skipIf(!capability.draft)('a proxy (skipped where libzmq has no draft API)', () => {
  it('refuses types whose messages have routing ids or groups, and unlike frames', () => {
    const unfit = [
      [new Server(), new Client()],
      [new Client(), new Server()],
      [new Dish(), new Radio()],
      [new Peer(), new Peer()],
      [new Channel(), new Datagram()],
    ] as const;
    for (const [frontend, backend] of unfit) {
      ofTest(frontend);
      ofTest(backend);
      expect(() => proxy(frontend, backend)).toThrow(
        /^frontend and backend: expected types that have the same/,
      );
    }
  });

  it('passes on messages of one frame', async () => {
    const [gather, scatter] = [ofTest(new Gather()), ofTest(new Scatter())];
    const source = ofTest(new Scatter());
    const sink = ofTest(new Gather());
    source.connect(gather.bind('tcp://127.0.0.1:*'));
    sink.connect(scatter.bind('tcp://127.0.0.1:*'));
    void proxy(gather, scatter);
    for (let n = 0; n < 1000; n += 1) await source.send(`${n}`);
    for (let n = 0; n < 1000; n += 1) {
      expect(String(await within('a message', sink.recv()))).toBe(`${n}`);
    }
  });
});
