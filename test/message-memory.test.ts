/** Where received messages lie, how long they stay valid, and what is known of the connection they came over. */
import { describe, expect, it } from 'vitest';

import { ArgumentError, Context, Dealer, Message, Pull, Push, Reply, Request, Router } from 'zeromq-threads';

import { turn, within } from './bounded.js';
import { linked, ofTest } from './linked.js';
import { endpoints, pattern } from './peers/index.js';

/** Sends messages `first` to `end - 1` of the pattern and hands each to `take` as it is received. */
async function stream(
  push: Push,
  pull: Pull,
  range: { first?: number; end: number; size: number },
  take: (message: Message, n: number) => void,
): Promise<void> {
  const { first = 0, end, size } = range;
  const receiving = (async () => {
    for (let n = first; n < end; n += 1) take(await pull.recv(), n);
  })();
  for (let n = first; n < end; n += 1) await push.send(pattern(n, 0, size));
  await within(`messages ${first} to ${end - 1} arrive`, receiving, 30_000);
}

function expectPattern(message: Uint8Array, n: number, size: number): void {
  expect(Buffer.compare(message, pattern(n, 0, size)), `message ${n} is as it was sent`).toBe(0);
}

describe('release', () => {
  it('lets memory be used again', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const buffers = new Set<ArrayBufferLike>();
    await stream(push, pull, { end: 20_000, size: 1000 }, (message, n) => {
      expectPattern(message, n, 1000);
      buffers.add(message.buffer);
      message.release();
    });
    // Without release() these 20 MB lie in about 80 chunks of 256 KiB.
    expect(buffers.size).toBeLessThan(20);
  });

  it('lets the memory of large messages be used again', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const buffers = new Set<ArrayBufferLike>();
    await stream(push, pull, { end: 60, size: 400_000 }, (message, n) => {
      expectPattern(message, n, 400_000);
      buffers.add(message.buffer);
      message.release();
    });
    expect(buffers.size).toBeLessThan(40);
  });

  it('never touches messages that were not released', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const kept: Array<[message: Message, n: number]> = [];
    await stream(push, pull, { end: 20_000, size: 600 }, (message, n) => {
      if (n % 97 === 0) kept.push([message, n]);
      else message.release();
    });
    for (const [message, n] of kept) expectPattern(message, n, 600);
    // Kept ones may be released later.
    for (const [message] of kept.splice(0, 100)) message.release();
    await stream(push, pull, { first: 20_000, end: 30_000, size: 600 }, (message) => message.release());
    for (const [message, n] of kept) expectPattern(message, n, 600);
  });

  it('is not needed: without it everything stays as it came', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const kept: Message[] = [];
    await stream(push, pull, { end: 10_000, size: 500 }, (message) => void kept.push(message));
    kept.forEach((message, n) => void expectPattern(message, n, 500));
  });

  it('counts once however often it is called', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const kept: Array<[message: Message, n: number]> = [];
    await stream(push, pull, { end: 10_000, size: 600 }, (message, n) => {
      if (n % 2 === 0) kept.push([message, n]);
      else for (let time = 0; time < 3; time += 1) message.release();
    });
    await stream(push, pull, { first: 10_000, end: 15_000, size: 600 }, (message) => message.release());
    for (const [message, n] of kept) expectPattern(message, n, 600);
  });

  it('counts nothing for messages that only borrow: those of a batch, wrapped ones, views', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const kept: Array<[message: Message, n: number]> = [];
    let next = 0;
    const end = 12_000;
    const receiving = (async () => {
      while (next < end) {
        for (let count = 0; count < 5 && next < end; count += 1) {
          const message = await pull.recv();
          kept.push([message, next++]);
          Message.wrap(null, new Uint8Array(message.buffer, 0, 8)).release();
          Message.wrap(null, message).release();
        }
        if (next === end) break;
        for await (const batch of pull.batches({ max: 20 })) {
          for (const [frame] of batch) {
            expectPattern(frame!, next++, 600);
            frame!.release();
          }
          for (let index = 0; index < batch.length; index += 1) batch.at(index).release();
          break;
        }
      }
    })();
    for (let n = 0; n < end; n += 1) await push.send(pattern(n, 0, 600));
    await within('all arrive', receiving, 30_000);
    await stream(push, pull, { first: end, end: end + 3000, size: 600 }, (message) => message.release());
    expect(kept.length).toBeGreaterThan(1000);
    for (const [message, n] of kept) expectPattern(message, n, 600);
  });

  it('waits for libzmq when the message is being sent on', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const onward = ofTest(new Push());
    onward.connect(await endpoints.unboundTcp());
    const size = 300_000;
    await stream(push, pull, { end: 5, size }, (message) => {
      onward.send(message); // nobody is there yet
      message.release();
    });
    await stream(push, pull, { first: 5, end: 40, size }, (message) => message.release());
    const sink = ofTest(new Pull());
    sink.bind(onward.lastEndpoint!);
    for (let n = 0; n < 5; n += 1) expectPattern(await within(`forwarded ${n}`, sink.recv()), n, size);
  });

  it('does not matter to slices that are copies, and the chunk outlives a slice that is kept', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const slices: Array<[slice: Buffer, n: number]> = [];
    await stream(push, pull, { end: 5000, size: 600 }, (message, n) => {
      if (n % 50 === 0) slices.push([message.subarray(8, 600), n]);
    });
    globalThis.gc!();
    await turn();
    await stream(push, pull, { first: 5000, end: 6000, size: 600 }, () => {});
    for (const [slice, n] of slices) {
      expect(Buffer.compare(slice, pattern(n, 0, 600).subarray(8)), `slice of ${n}`).toBe(0);
    }
  });

  it('works for frames of a multipart message one by one', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const kept: Array<[message: Message, n: number]> = [];
    const receiving = (async () => {
      for (let n = 0; n < 6000; n += 1) {
        const [head, body, tail] = await pull.recvMultipart();
        head!.release();
        tail!.release();
        if (n % 10 === 0) kept.push([body!, n]);
        else body!.release();
      }
    })();
    for (let n = 0; n < 6000; n += 1) await push.send(['head', pattern(n, 0, 500), 'tail']);
    await within('all arrive', receiving, 30_000);
    for (const [message, n] of kept) expectPattern(message, n, 500);
  });

  it('works after the socket was closed', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const messages: Message[] = [];
    await stream(push, pull, { end: 1000, size: 600 }, (message) => void messages.push(message));
    pull.close();
    for (const message of messages.slice(0, 250)) message.release();
    // A new socket may be what the closed one was to the addon.
    const [other, pusher] = linked(new Pull(), new Push());
    for (const message of messages.slice(250, 500)) message.release();
    await stream(pusher, other, { end: 2000, size: 600 }, (message) => message.release());
    messages.slice(500).forEach((message, index) => void expectPattern(message, 500 + index, 600));
  });
});

describe('metadata', () => {
  it('tells two peers apart, whatever the order of their messages and the size', async () => {
    const router = ofTest(new Router());
    const endpoint = router.bind('tcp://127.0.0.1:*');
    const port = endpoint.slice(endpoint.lastIndexOf(':') + 1);
    const peers = [ofTest(new Dealer({ routingId: 'one' })), ofTest(new Dealer({ routingId: 'two' }))];
    // Loopback has many addresses: each peer comes from one of its own.
    const addresses = ['127.0.0.2', '127.0.0.3'];
    peers.forEach((peer, index) => void peer.connect(`tcp://${addresses[index]}:0;127.0.0.1:${port}`));
    const sizes = [0, 1, 100, 1024, 1025, 5000, 70_000, 300_000];
    const received: Message[][] = [];
    for (let n = 0; n < 60; n += 1) {
      const index = n % 7 < 3 ? 0 : 1;
      await peers[index]!.send([`${index}`, pattern(n, 1, sizes[n % sizes.length]!), '']);
      received.push(await within(`message ${n}`, router.recvMultipart()));
    }
    // Both at once, so that they lie in one chunk in any order.
    for (let n = 0; n < 200; n += 1) await peers[n % 2]!.send([`${n % 2}`, pattern(n, 1, 20), '']);
    for (let n = 0; n < 200; n += 1) received.push(await within(`short ${n}`, router.recvMultipart()));
    const seen = [0, 0];
    for (const [id, head, ...frames] of received) {
      const index = Number(String(head));
      seen[index]! += 1;
      expect(String(id)).toBe(['one', 'two'][index]);
      for (const frame of [head!, ...frames]) {
        expect(frame.metadata('Peer-Address')).toBe(addresses[index]);
        expect(frame.metadata('Routing-Id')).toBe(['one', 'two'][index]);
        expect(frame.metadata('Socket-Type')).toBe('DEALER');
      }
    }
    expect(Math.min(...seen)).toBeGreaterThan(100);
  });

  it('tells the types of two peers apart', async () => {
    const router = ofTest(new Router());
    router.bind(endpoints.tcp());
    const dealer = ofTest(new Dealer());
    const request = ofTest(new Request());
    for (const peer of [dealer, request]) peer.connect(router.lastEndpoint!);
    for (let n = 0; n < 10; n += 1) {
      await dealer.send('from the dealer');
      await request.send('from the request');
      for (let count = 0; count < 2; count += 1) {
        const frames = await within(`message ${n}`, router.recvMultipart());
        const from = frames.at(-1)!;
        expect(from.metadata('Socket-Type')).toBe(String(from) === 'from the dealer' ? 'DEALER' : 'REQ');
        if (frames.length === 3) await router.send([frames[0]!, '', 'reply']);
      }
      await within('the reply', request.recv());
    }
  });

  it.each([16, 4096])('tells users at one address apart, by messages of %d bytes', async (size) => {
    const context = new Context();
    const authority = ofTest(new Reply({ context }));
    authority.bind('inproc://zeromq.zap.01');
    void (async () => {
      for await (const [version, id, , , , , name] of authority) {
        await authority.send([version!, id!, '200', 'OK', name!, '']);
      }
    })().catch(() => {});
    const pull = ofTest(new Pull({ context, plainServer: true, zapDomain: 'test' }));
    const endpoint = pull.bind('tcp://127.0.0.1:*');
    for (const plainUsername of ['one', 'two', 'three']) {
      const push = ofTest(new Push({ plainUsername, plainPassword: 'secret', linger: 0 }));
      push.connect(endpoint);
      for (let n = 0; n < 3; n += 1) {
        await push.send(Buffer.alloc(size));
        const message = await within(`message ${n} of ${plainUsername}`, pull.recv());
        expect(message.metadata('User-Id')).toBe(plainUsername);
      }
    }
    await within('closing', context.close());
  });

  it('stays when the connection has gone, and when the memory is long in use again', async () => {
    const pull = ofTest(new Pull());
    const endpoint = pull.bind('tcp://127.0.0.1:*');
    const port = endpoint.slice(endpoint.lastIndexOf(':') + 1);
    const kept: Message[] = [];
    for (const address of ['127.0.0.4', '127.0.0.5', '127.0.0.6']) {
      const push = new Push({ linger: 5000 });
      push.connect(`tcp://${address}:0;127.0.0.1:${port}`);
      for (let n = 0; n < 500; n += 1) {
        await push.send(`${address} ${n}`);
        const message = await within(`${address} ${n}`, pull.recv());
        if (n % 100 === 50) kept.push(message);
        else message.release();
      }
      push.close();
    }
    globalThis.gc!();
    for (const message of kept) {
      expect(message.metadata('Peer-Address')).toBe(String(message).split(' ')[0]);
    }
  });

  it('is undefined where there is none', async () => {
    const [pull, push] = linked(new Pull(), new Push(), endpoints.inproc());
    await push.send(['a', 'b']);
    for (const frame of await within('receiving', pull.recvMultipart())) {
      expect(frame.metadata('Peer-Address')).toBe(undefined);
    }
    expect(Message.from('x').metadata('Peer-Address')).toBe(undefined);
    expect(Message.alloc(1).metadata('Socket-Type')).toBe(undefined);
  });

  it('is undefined for a property that the peer does not have', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send('x');
    const message = await within('receiving', pull.recv());
    expect(message.metadata('Peer-Address')).toBe('127.0.0.1');
    for (const name of [
      'User-Id',
      'X-Nothing',
      '',
      'peer-address',
      '__proto__',
      'a\0b',
      'x'.repeat(100_000),
    ]) {
      expect(message.metadata(name), JSON.stringify(name).slice(0, 30)).toBe(undefined);
    }
  });

  it('is there for messages of a batch', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send(['a', 'b']);
    for await (const batch of pull.batches()) {
      expect(batch.at(0).metadata('Peer-Address')).toBe('127.0.0.1');
      for (const frames of batch) expect(frames[1]!.metadata('Socket-Type')).toBe('PUSH');
      break;
    }
  });

  it('is there for messages received in the calling thread', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send('a');
    expect(pull.recvSync().metadata('Peer-Address')).toBe('127.0.0.1');
    await push.send('b');
    await push.send('c');
    pull.recvSync();
    expect(pull.recvMultipartSync()[0]!.metadata('Socket-Type')).toBe('PUSH');
  });

  it.each([undefined, null, 5, {}, Symbol('s')])('refuses %s as a name', (name) => {
    expect(() => Message.from('x').metadata(name as never)).toThrow(ArgumentError);
    expect(() => Message.from('x').metadata(name as never)).toThrow(/^name: expected a string, got /);
  });
});
