/** Sending and receiving: every method, what it takes and what it gives. */
import { describe, expect, it } from 'vitest';

import {
  ArgumentError,
  Dealer,
  Message,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type Sendable,
  type SendableMessage,
  Socket,
  Subscriber,
  TimeoutError,
  XPublisher,
  XSubscriber,
  ZmqError,
} from 'zeromq-threads';

import { within } from './bounded.js';
import { linked, ofTest } from './linked.js';
import { endpoints, pattern, patternMessage, verify } from './peers/index.js';

const bytes = [1, 2, 3, 4, 5, 6, 7, 8];
const memory = Uint8Array.from([99, ...bytes, 99]).buffer;

function shared(content: readonly number[]): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(content.length);
  new Uint8Array(buffer).set(content);
  return buffer;
}

/** What can be sent, and the bytes that must arrive. */
const sendable: Array<[what: string, data: Sendable, expected: Uint8Array]> = [
  ['a string', 'grüße 👋', Buffer.from('grüße 👋')],
  ['an empty string', '', Buffer.alloc(0)],
  ['a long string', 'ä'.repeat(100_000), Buffer.from('ä'.repeat(100_000))],
  ['a string with a lone surrogate', 'a\ud800b', Buffer.from('a\ud800b')],
  ['a Buffer', Buffer.from(bytes), Buffer.from(bytes)],
  ['an empty Buffer', Buffer.alloc(0), Buffer.alloc(0)],
  ['a Buffer of 4,096 bytes', pattern(1, 0, 4096), pattern(1, 0, 4096)],
  ['a Buffer of 4,097 bytes', pattern(2, 0, 4097), pattern(2, 0, 4097)],
  ['a Buffer of 64 KiB', pattern(3, 0, 65536), pattern(3, 0, 65536)],
  ['a Buffer of 3 MiB', pattern(4, 0, 3 << 20), pattern(4, 0, 3 << 20)],
  ['a Uint8Array within a larger buffer', new Uint8Array(memory, 1, 8), Buffer.from(bytes)],
  ['a Uint16Array', Uint16Array.of(0x0102, 0x0304), Buffer.from(Uint16Array.of(0x0102, 0x0304).buffer)],
  ['a Float64Array', Float64Array.of(1.5, -2), Buffer.from(Float64Array.of(1.5, -2).buffer)],
  ['a BigInt64Array', BigInt64Array.of(-1n), Buffer.alloc(8, 255)],
  ['a DataView within a larger buffer', new DataView(memory, 1, 8), Buffer.from(bytes)],
  ['an ArrayBuffer', Uint8Array.from(bytes).buffer, Buffer.from(bytes)],
  ['an empty ArrayBuffer', new ArrayBuffer(0), Buffer.alloc(0)],
  ['a SharedArrayBuffer', shared(bytes), Buffer.from(bytes)],
  ['a view of a SharedArrayBuffer', new Uint8Array(shared([99, ...bytes]), 1), Buffer.from(bytes)],
  ['a Message', Message.from(bytes), Buffer.from(bytes)],
  ['a Message of 1 MiB', Message.from(pattern(5, 0, 1 << 20)), pattern(5, 0, 1 << 20)],
  ['a number', 42, Buffer.from('42')],
  ['a negative fraction', -0.5, Buffer.from('-0.5')],
  ['NaN', Number.NaN, Buffer.from('NaN')],
  ['null', null, Buffer.alloc(0)],
];

const waysToSend: Record<string, (socket: Push, data: SendableMessage) => unknown> = {
  send: (socket, data) => socket.send(data),
  trySend: (socket, data) => expect(socket.trySend(data)).toBe(true),
  sendSync: (socket, data) => expect(socket.sendSync(data)).toBe(undefined),
  sendMultipart: (socket, data) => socket.sendMultipart(Array.isArray(data) ? data : [data]),
};

describe.each(Object.entries(waysToSend))('%s', (_, send) => {
  it.each(sendable)('takes %s', async (what, data, expected) => {
    const [pull, push] = linked(new Pull(), new Push(), endpoints.inproc());
    await within(`sending ${what}`, Promise.resolve(send(push, data)));
    const message = await within(`receiving ${what}`, pull.recv());
    expect(message.equals(expected)).toBe(true);
    expect(message.more).toBe(false);
  });

  it('takes an array for a multipart message, with frames of every kind', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const frames = sendable.map(([, data]) => data).filter((data) => !(data instanceof Message));
    await within('sending all kinds at once', Promise.resolve(send(push, frames)));
    const received = await within('receiving all kinds at once', pull.recvMultipart());
    expect(received.length).toBe(frames.length);
    const expected = sendable.filter(([, data]) => !(data instanceof Message));
    received.forEach((frame, index) => {
      expect(frame.equals(expected[index]![2]), `frame ${index}: ${expected[index]![0]}`).toBe(true);
      expect(frame.more).toBe(index < received.length - 1);
    });
  });

  it('takes more frames than the stage holds', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const frames = patternMessage(
      7,
      Array.from({ length: 1000 }, (_, index) => index % 50),
    );
    await within('sending 1,000 frames', Promise.resolve(send(push, frames)));
    verify(
      await within('receiving 1,000 frames', pull.recvMultipart()),
      7,
      frames.map((f) => f.length),
    );
  });

  it('leaves what it sent unchanged, and takes it as it was at the call', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    for (const size of [8, 5000, 100_000]) {
      const data = pattern(size, 0, size);
      const sending = send(push, data);
      expect(data.equals(pattern(size, 0, size))).toBe(true);
      data.fill(0);
      await within('sending', Promise.resolve(sending));
      expect((await within('receiving', pull.recv())).equals(pattern(size, 0, size))).toBe(true);
    }
  });
});

describe('send', () => {
  it('gives a promise of undefined', async () => {
    const [, push] = linked(new Pull(), new Push());
    expect(await within('sending', push.send('x'))).toBe(undefined);
  });

  it('sends frames one by one with more', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send('a', { more: true });
    await push.send(['b', 'c'], { more: true });
    push.sendSync('d', { more: true });
    expect(push.trySend('e', { more: true })).toBe(true);
    expect(pull.tryRecv()).toBe(undefined);
    await push.send('f', { more: false });
    const frames = await within('receiving', pull.recvMultipart());
    expect(frames.map(String)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  it('keeps the order of the calls, awaited or not', async () => {
    const [pull, push] = linked(new Pull({ receiveHighWaterMark: 5 }), new Push({ sendHighWaterMark: 5 }));
    const sends = Array.from({ length: 500 }, (_, index) => push.send(`${index}`));
    for (let index = 0; index < 500; index += 1) {
      expect(await within(`receiving ${index}`, pull.recv('utf8'))).toBe(`${index}`);
    }
    await within('all sends settle', Promise.all(sends));
  });

  it('settles in order', async () => {
    const [pull, push] = linked(new Pull({ receiveHighWaterMark: 1 }), new Push({ sendHighWaterMark: 1 }));
    const settled: number[] = [];
    const sends = Array.from({ length: 100 }, (_, index) =>
      push.send(`${index}`).then(() => settled.push(index)),
    );
    for (let index = 0; index < 100; index += 1) await within(`receiving ${index}`, pull.recv());
    await within('all sends settle', Promise.all(sends));
    expect(settled).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  it('waits while nobody is there, and goes on when somebody comes', async () => {
    const push = ofTest(new Push());
    const name = endpoints.inproc();
    push.connect(name);
    const bare = ofTest(new Push());
    const waiting = bare.send('kept');
    const pull = ofTest(new Pull());
    bare.bind(endpoints.inproc());
    pull.connect(bare.lastEndpoint!);
    await within('the send is accepted', waiting);
    expect(await within('it arrives', pull.recv('utf8'))).toBe('kept');
  });

  it('rejects with EFSM when it is not the turn, and the socket goes on', async () => {
    const [reply, request] = linked(new Reply(), new Request());
    await expect(reply.send('early')).rejects.toMatchObject({ code: 'EFSM', name: 'ZmqError' });
    expect(() => reply.trySend('early')).toThrow(expect.objectContaining({ code: 'EFSM' }));
    expect(() => reply.sendSync('early')).toThrow(expect.objectContaining({ code: 'EFSM' }));
    await request.send('6 * 7');
    await expect(request.send('again')).rejects.toMatchObject({ code: 'EFSM' });
    await expect(reply.recv('utf8')).resolves.toBe('6 * 7');
    await reply.send('42');
    expect(await within('the reply comes', request.recv('utf8'))).toBe('42');
  });

  it('rejects with EHOSTUNREACH for an unknown peer of a mandatory ROUTER', async () => {
    const router = ofTest(new Router({ mandatory: true }));
    router.bind(endpoints.tcp());
    const failure = {
      code: 'EHOSTUNREACH',
      name: 'ZmqError',
      message: expect.stringContaining('EHOSTUNREACH'),
    };
    await expect(router.send(['nobody', 'x'])).rejects.toMatchObject(failure);
    expect(() => router.trySend(['nobody', 'x'])).toThrow(expect.objectContaining(failure));
    expect(() => router.sendSync(['nobody', 'x'])).toThrow(expect.objectContaining(failure));
    const dealer = ofTest(new Dealer({ routingId: 'somebody' }));
    dealer.connect(router.lastEndpoint!);
    await dealer.send('hello');
    const [peer] = await within('the dealer calls', router.recvMultipart());
    await router.send([peer!, 'welcome']);
    expect(await within('the dealer hears', dealer.recv('utf8'))).toBe('welcome');
  });
});

describe('sendMultipart', () => {
  it.each<[string, () => Iterable<Sendable> | ArrayLike<Sendable>]>([
    ['an array', () => ['a', 'b', 'c']],
    ['a Set', () => new Set(['a', 'b', 'c'])],
    [
      'a generator',
      () =>
        (function* () {
          yield* ['a', 'b', 'c'];
        })(),
    ],
    ['an array-like object', () => ({ length: 3, 0: 'a', 1: 'b', 2: 'c' })],
    ['a frozen array', () => Object.freeze(['a', 'b', 'c'])],
    [
      'the values of a Map',
      () =>
        new Map([
          [1, 'a'],
          [2, 'b'],
          [3, 'c'],
        ]).values(),
    ],
  ])('takes %s', async (_, parts) => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.sendMultipart(parts());
    expect((await within('receiving', pull.recvMultipart())).map(String)).toEqual(['a', 'b', 'c']);
  });

  it('does not take a string or bytes for a list', async () => {
    const push = ofTest(new Push());
    for (const data of ['abc', Buffer.from('abc'), 3, null, undefined, () => {}]) {
      await expect(push.sendMultipart(data as never)).rejects.toThrow(ArgumentError);
    }
  });

  it('refuses an empty list', async () => {
    const push = ofTest(new Push());
    const error = await push.sendMultipart([]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ArgumentError);
    expect((error as Error).message).toBe('data: expected at least one frame, got array of length 0');
    await expect(push.send([])).rejects.toThrow(ArgumentError);
    expect(() => push.trySend([])).toThrow(ArgumentError);
    expect(() => push.sendSync([])).toThrow(ArgumentError);
    await expect(push.sendMultipart(new Set<string>())).rejects.toThrow(ArgumentError);
    await expect(push.sendMultipart({ length: 0 })).rejects.toThrow(ArgumentError);
  });

  it('encodes all parts before it sends the first: a bad one sends nothing', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const error = await push.sendMultipart(['a', 'b', {} as never]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ArgumentError);
    expect((error as Error).message).toMatch(/^data\[2\]: expected a string, Buffer, .*, got object \{\}$/);
    await expect(push.send(['a', undefined as never])).rejects.toThrow(/^data\[1\]: .* got undefined$/);
    await push.sendMultipart(['whole', 'message']);
    expect((await within('receiving', pull.recvMultipart())).map(String)).toEqual(['whole', 'message']);
  });
});

describe('trySend', () => {
  it('is false when there is no room, and sends nothing then', async () => {
    const push = ofTest(new Push());
    push.bind(endpoints.inproc());
    expect(push.writable).toBe(false);
    expect(push.trySend('lost')).toBe(false);
    expect(push.trySend(['lost', 'too'])).toBe(false);
    const pull = ofTest(new Pull());
    pull.connect(push.lastEndpoint!);
    expect(push.writable).toBe(true);
    expect(push.trySend('first')).toBe(true);
    expect(await within('receiving', pull.recv('utf8'))).toBe('first');
  });

  it('fills up to the high-water marks and no further', () => {
    const [pull, push] = linked(
      new Pull({ receiveHighWaterMark: 3 }),
      new Push({ sendHighWaterMark: 4 }),
      endpoints.inproc(),
    );
    let sent = 0;
    while (sent < 100 && push.trySend(`${sent}`)) sent += 1;
    expect(sent).toBe(7);
    expect(push.writable).toBe(false);
    const received: string[] = [];
    for (let message = pull.tryRecv(); message !== undefined; message = pull.tryRecv()) {
      received.push(message.toString());
    }
    expect(received).toEqual(['0', '1', '2', '3', '4', '5', '6']);
    expect(push.writable).toBe(true);
  });
});

describe('receiving', () => {
  it('recv gives one frame, and more says whether another follows', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send(['a', 'b']);
    await push.send('c');
    const first = await within('first frame', pull.recv());
    expect([String(first), first.more]).toEqual(['a', true]);
    const second = await within('second frame', pull.recv());
    expect([String(second), second.more]).toEqual(['b', false]);
    const third = await within('third frame', pull.recv());
    expect([String(third), third.more]).toEqual(['c', false]);
  });

  it('recvMultipart gives what recv left of a message', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send(['a', 'b', 'c']);
    expect(String(await within('first frame', pull.recv()))).toBe('a');
    expect((await within('the rest', pull.recvMultipart())).map(String)).toEqual(['b', 'c']);
    await push.send(['d', 'e']);
    expect(String(pull.recvSync())).toBe('d');
    expect(pull.tryRecvMultipart()?.map(String)).toEqual(['e']);
    await push.send(['f', 'g']);
    expect(String(await within('f', pull.recv()))).toBe('f');
    for await (const batch of pull.batches()) {
      expect([...batch].map((frames) => frames.map(String))).toEqual([['g']]);
      expect(batch.length).toBe(1);
      break;
    }
  });

  it('receive is recvMultipart by the name that zeromq has for it', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send(['a', 'b']);
    const [first, second] = await within('receiving', pull.receive());
    expect([String(first), String(second)]).toEqual(['a', 'b']);
    await expect(pull.receive({ timeout: 0 })).rejects.toThrow('receive timed out after 0 s');
  });

  it('serves any number of pending receives in order, each message once', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const receives = Array.from({ length: 300 }, () => pull.recv('utf8'));
    for (let index = 0; index < 300; index += 1) await push.send(`${index}`);
    expect(await within('all receives settle', Promise.all(receives))).toEqual(
      Array.from({ length: 300 }, (_, index) => `${index}`),
    );
  });

  it('serves pending receives of different kinds in order', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const receives = [pull.recv(), pull.recvMultipart(), pull.recv('utf8'), pull.receive(), pull.recv()];
    await push.send(['a1', 'a2', 'a3']);
    await push.send(['b1', 'b2']);
    await push.send('c');
    await push.send('d');
    const received = await within('all receives settle', Promise.all(receives));
    expect(received.map((value) => (Array.isArray(value) ? value.map(String) : String(value)))).toEqual([
      'a1',
      ['a2', 'a3'],
      'b1',
      ['b2'],
      'c',
    ]);
  });

  it('tryRecv and tryRecvMultipart give undefined when nothing is there', async () => {
    const [pull, push] = linked(new Pull(), new Push(), endpoints.inproc());
    expect(pull.tryRecv()).toBe(undefined);
    expect(pull.tryRecvMultipart()).toBe(undefined);
    await push.send(['a', 'b']);
    await push.send(['c', 'd']);
    expect(pull.readable).toBe(true);
    expect(String(pull.tryRecv())).toBe('a');
    expect(pull.tryRecvMultipart()?.map(String)).toEqual(['b']);
    expect(pull.tryRecvMultipart()?.map(String)).toEqual(['c', 'd']);
    expect(pull.tryRecv()).toBe(undefined);
    expect(pull.readable).toBe(false);
  });

  it('recvSync and recvMultipartSync block until something comes', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send('one');
    await push.send(['two', 'three']);
    await push.send('four');
    expect(String(pull.recvSync())).toBe('one');
    expect(pull.recvMultipartSync().map(String)).toEqual(['two', 'three']);
    expect(pull.recvSync('utf8')).toBe('four');
    expect(() => pull.recvSync({ timeout: 5 })).toThrow(TimeoutError);
    expect(() => pull.recvMultipartSync({ timeout: 5 })).toThrow(TimeoutError);
  });

  it('receives that wait come before one that blocks', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const waiting = pull.recv('utf8');
    await push.send('first');
    await push.send('second');
    expect(pull.recvSync('utf8')).toBe('second');
    expect(await within('the waiting receive', waiting)).toBe('first');
  });

  it('rejects with EFSM when it is not the turn', async () => {
    const [reply, request] = linked(new Reply(), new Request());
    await expect(request.recv()).rejects.toMatchObject({ code: 'EFSM', name: 'ZmqError' });
    expect(() => request.tryRecv()).toThrow(expect.objectContaining({ code: 'EFSM' }));
    expect(() => request.recvSync()).toThrow(expect.objectContaining({ code: 'EFSM' }));
    await request.send('ping');
    expect(await within('the request', reply.recv('utf8'))).toBe('ping');
    await expect(reply.recv()).rejects.toMatchObject({ code: 'EFSM' });
    await reply.send('pong');
    expect(await within('the reply', request.recv('utf8'))).toBe('pong');
  });

  it('readable and writable say what a call would find', async () => {
    const [reply, request] = linked(new Reply(), new Request(), endpoints.inproc());
    expect([reply.readable, reply.writable]).toEqual([false, false]);
    expect([request.readable, request.writable]).toEqual([false, true]);
    request.sendSync('ping');
    expect([reply.readable, request.writable]).toEqual([true, false]);
    reply.recvSync();
    expect([reply.readable, reply.writable]).toEqual([false, true]);
  });
});

describe('for await', () => {
  it('gives whole messages, and break leaves the socket open', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    for (const text of ['a', 'b', 'c', 'd']) await push.send([text, `${text}${text}`]);
    const seen: string[][] = [];
    for await (const frames of pull) {
      seen.push(frames.map(String));
      if (seen.length === 2) break;
    }
    expect(seen).toEqual([
      ['a', 'aa'],
      ['b', 'bb'],
    ]);
    expect(pull.closed).toBe(false);
    for await (const [frame] of pull) {
      expect(String(frame)).toBe('c');
      break;
    }
    expect(String(await within('receiving after the loops', pull.recv()))).toBe('d');
  });

  it('ends cleanly when the socket closes', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send('only');
    const seen: string[] = [];
    const loop = (async () => {
      for await (const [frame] of pull) {
        seen.push(String(frame));
        setImmediate(() => pull.close());
      }
      return 'ended';
    })();
    expect(await within('the loop ends', loop)).toBe('ended');
    expect(seen).toEqual(['only']);
    for await (const _ of pull) throw new Error('a closed socket gave a message');
  });

  it('an iterator that is returned gives up what it waits for, and takes no message any more', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const loops: AsyncIterableIterator<unknown>[] = [pull[Symbol.asyncIterator](), pull.batches()];
    for (const loop of loops) {
      const waiting = [loop.next(), loop.next()];
      const behind = pull.recv('utf8');
      const ended = { done: true, value: undefined };
      expect(await within('the return', loop.return!())).toEqual(ended);
      expect(await within('what it waited for', Promise.all(waiting))).toEqual([ended, ended]);
      expect(await loop.next()).toEqual(ended);
      await push.send('for who waits behind');
      expect(await within('the message', behind)).toBe('for who waits behind');
    }
  });

  it('rejects when the receive timeout passes', async () => {
    const pull = ofTest(new Pull({ receiveTimeout: 5 }));
    pull.bind(endpoints.tcp());
    const loop = (async () => {
      for await (const _ of pull) throw new Error('nothing was sent');
    })();
    await expect(within('the loop ends', loop)).rejects.toThrow(TimeoutError);
  });
});

describe('batches', () => {
  it('gives everything that is ready, with its sizes and offsets', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    for (let n = 0; n < 20; n += 1) await push.send(patternMessage(n, [8, n]));
    await within('all are here', pull.recvMultipart()).then((frames) => verify(frames, 0, [8, 0]));
    let next = 1;
    for await (const batch of pull.batches()) {
      expect(batch.messages * 2).toBe(batch.length);
      expect(batch.data.buffer).toBeInstanceOf(SharedArrayBuffer);
      let sum = 0;
      for (let index = 0; index < batch.length; index += 1) {
        const n = next + (index >> 1);
        const frame = batch.data.subarray(batch.offset(index), batch.offset(index) + batch.size(index));
        expect(Buffer.from(frame).equals(pattern(n, index & 1, index & 1 ? n : 8))).toBe(true);
        expect(batch.more(index)).toBe((index & 1) === 0);
        expect(batch.at(index).equals(frame)).toBe(true);
        expect(batch.at(index).more).toBe(batch.more(index));
        sum += batch.size(index);
      }
      expect(batch.bytes).toBe(sum);
      let n = next;
      for (const frames of batch) verify(frames, n, [8, n++]);
      next = n;
      if (next === 20) break;
    }
  });

  it('gives in one what is ready, though nothing came for a while before', async () => {
    const [pull, push] = linked(new Pull(), new Push(), endpoints.inproc());
    for (let round = 0; round < 5; round += 1) {
      await expect(pull.recv({ timeout: 1 })).rejects.toThrow(TimeoutError);
      for (let n = 0; n < 50; n += 1) push.sendSync(`${n}`);
      for await (const batch of pull.batches()) {
        expect(batch.messages, `round ${round}`).toBe(50);
        break;
      }
    }
  });

  it('gives at most max messages', async () => {
    const [pull, push] = linked(new Pull(), new Push(), endpoints.inproc());
    for (let n = 0; n < 10; n += 1) await push.send([`${n}`, 'x']);
    const sizes: number[] = [];
    let total = 0;
    for await (const batch of pull.batches({ max: 3 })) {
      sizes.push(batch.messages);
      total += batch.messages;
      if (total === 10) break;
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(3);
  });

  it('retain keeps the memory when the loop goes on', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const kept: Array<{ at: Buffer; n: number }> = [];
    let next = 0;
    let sent = 0;
    const loop = (async () => {
      for await (const batch of pull.batches()) {
        batch.retain();
        for (const [frame] of batch) kept.push({ at: frame!, n: next++ });
        if (next === 3000) return;
      }
    })();
    while (sent < 3000) await push.send(pattern(sent++, 0, 500));
    await within('3,000 messages are kept', loop);
    for (const { at, n } of kept) expect(at.equals(pattern(n, 0, 500)), `message ${n}`).toBe(true);
  });

  it('is given again when it is not retained: memory is reused', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const buffers = new Set<ArrayBufferLike>();
    let received = 0;
    const loop = (async () => {
      for await (const batch of pull.batches()) {
        for (const [frame] of batch) expect(frame!.equals(pattern(received++, 0, 1000))).toBe(true);
        buffers.add(batch.data.buffer);
        if (received === 20_000) return;
      }
    })();
    for (let n = 0; n < 20_000; n += 1) await push.send(pattern(n, 0, 1000));
    await within('20 MB went through', loop);
    // Unreleased they would take about 80 chunks of 256 KiB.
    expect(buffers.size).toBeLessThan(20);
  });

  it('ends cleanly when the socket closes', async () => {
    const pull = ofTest(new Pull());
    pull.bind(endpoints.tcp());
    const loop = (async () => {
      for await (const _ of pull.batches()) throw new Error('nothing was sent');
      return 'ended';
    })();
    setImmediate(() => pull.close());
    expect(await within('the loop ends', loop)).toBe('ended');
  });

  it.each([0, -1, 1.5, Number.NaN, '3', 2 ** 31, null])('refuses max %s', (max) => {
    const pull = ofTest(new Pull());
    expect(() => pull.batches({ max: max as never })).toThrow(ArgumentError);
    expect(() => pull.batches({ max: max as never })).toThrow(/^max: expected a positive integer/);
  });

  it('refuses an index that it does not have', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send('x');
    for await (const batch of pull.batches()) {
      for (const index of [-1, 1, 0.5, Number.NaN, '0', undefined, 2 ** 32]) {
        for (const method of ['at', 'offset', 'size', 'more'] as const) {
          expect(() => batch[method](index as never), `${method}(${index})`).toThrow(ArgumentError);
        }
      }
      break;
    }
  });
});

describe('subscribe', () => {
  /** Everything a subscriber gets of `topics`; `end` is what it gets last, whatever it subscribed to. */
  async function filtered(subscriber: Subscriber | XSubscriber, change: () => void): Promise<string[]> {
    const publisher = ofTest(new XPublisher({ verbosity: 'allSubsUnsubs' }));
    subscriber.connect(publisher.bind(endpoints.inproc()));
    change();
    subscriber.subscribe('end');
    const seen: string[] = [];
    for await (const [subscription] of publisher) {
      if (subscription!.toString() === '\x01end') break;
    }
    for (const topic of ['apple', 'apricot', 'banana', '', '7', 'end']) publisher.sendSync(topic);
    for await (const [topic] of subscriber) {
      if (String(topic) === 'end') return seen;
      seen.push(String(topic));
    }
    throw new Error('the subscriber was closed');
  }

  describe.each([
    ['SUB', () => new Subscriber()],
    ['XSUB', () => new XSubscriber()],
  ])('%s', (_, make) => {
    it('takes several topics, which are prefixes', async () => {
      const subscriber = ofTest(make());
      const seen = await within(
        'filtered',
        filtered(subscriber, () => subscriber.subscribe('ap', 'ban')),
      );
      expect(seen).toEqual(['apple', 'apricot', 'banana']);
    });

    it('without a topic takes everything', async () => {
      const subscriber = ofTest(make());
      const seen = await within(
        'filtered',
        filtered(subscriber, () => subscriber.subscribe()),
      );
      expect(seen).toEqual(['apple', 'apricot', 'banana', '', '7']);
    });

    it('takes bytes as well as text', async () => {
      const subscriber = ofTest(make());
      const seen = await within(
        'filtered',
        filtered(subscriber, () => subscriber.subscribe(Buffer.from('apr'), 7, Message.from('banana'))),
      );
      expect(seen).toEqual(['apricot', 'banana', '7']);
    });

    it('unsubscribe takes topics back', async () => {
      const subscriber = ofTest(make());
      const seen = await within(
        'filtered',
        filtered(subscriber, () => {
          subscriber.subscribe();
          subscriber.subscribe('apple', 'banana');
          subscriber.unsubscribe('banana');
          subscriber.unsubscribe();
        }),
      );
      expect(seen).toEqual(['apple']);
    });

    it('refuses a bad topic and subscribes to none then', async () => {
      const subscriber = ofTest(make());
      const seen = await within(
        'filtered',
        filtered(subscriber, () => {
          expect(() => subscriber.subscribe('apple', {} as never)).toThrow(ArgumentError);
          expect(() => subscriber.subscribe('apple', {} as never)).toThrow(/^topics\[1\]: expected /);
        }),
      );
      expect(seen).toEqual([]);
    });
  });

  it('works through the options of SUB too', async () => {
    const subscriber = ofTest(new Subscriber());
    const seen = await filtered(subscriber, () => subscriber.setOption('subscribe', 'banana'));
    expect(seen).toEqual(['banana']);
  });

  it('PUB and SUB over tcp', async () => {
    const publisher = ofTest(new Publisher());
    const subscriber = ofTest(new Subscriber());
    subscriber.subscribe('b');
    subscriber.connect(publisher.bind(endpoints.tcp()));
    const got = subscriber.recvMultipart();
    let arrived = false;
    got.then(
      () => {
        arrived = true;
      },
      () => {},
    );
    await within(
      'a publication arrives',
      (async () => {
        while (!arrived) {
          await publisher.send(['a', 'not this']);
          await publisher.send(['b', 'this']);
          await new Promise((resolve) => setImmediate(resolve));
        }
      })(),
    );
    expect((await got).map(String)).toEqual(['b', 'this']);
  });
});

describe('PAIR', () => {
  it('talks in both directions', async () => {
    const [left, right] = linked(new Pair(), new Pair());
    await left.send('ping');
    expect(await within('ping', right.recv('utf8'))).toBe('ping');
    await right.send('pong');
    expect(await within('pong', left.recv('utf8'))).toBe('pong');
  });
});

describe('a socket that is not typed', () => {
  it('does what the type does', async () => {
    const [pull, push] = linked(new Socket('PULL'), new Socket('PUSH'));
    await push.send('x');
    expect(await within('receiving', pull.recv('utf8'))).toBe('x');
    await expect(pull.send('x')).rejects.toThrow(ZmqError);
  });
});
