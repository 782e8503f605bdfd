/** A Message is a Buffer in shared memory. */
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect, types } from 'node:util';
import { MessageChannel, Worker } from 'node:worker_threads';

import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { ArgumentError, Message, Pull, Push, Router, type Sendable } from 'zeromq-threads';

import { within } from './bounded.js';
import { linked, ofTest } from './linked.js';
import { endpoints, pattern } from './peers/index.js';

/** What a receiver gets when `data` is sent. */
async function received(data: Sendable): Promise<Message> {
  const [pull, push] = linked(new Pull(), new Push());
  await push.send(data);
  return within('receiving', pull.recv());
}

function temporaryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'zmq-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'file');
}

describe.each<[string, (text: string) => Message | Promise<Message>]>([
  ['received', received],
  ['made with Message.from', (text) => Message.from(text)],
  ['made with Message.wrap', (text) => Message.wrap(undefined, Message.from(text))],
  [
    'made with Message.alloc',
    (text) => {
      const message = Message.alloc(Buffer.byteLength(text));
      message.write(text);
      return message;
    },
  ],
])('a message that was %s', (_, make) => {
  let message: Message;
  beforeAll(async () => {
    const pull = new Pull();
    const push = new Push();
    push.connect(pull.bind('tcp://127.0.0.1:*'));
    if (make === received) {
      await push.send('{"a": "ä€"}');
      message = await within('receiving', pull.recv());
    } else message = await make('{"a": "ä€"}');
    pull.close({ linger: 0 });
    push.close({ linger: 0 });
  });
  const expected = Buffer.from('{"a": "ä€"}');

  it('is a Message, a Buffer and a Uint8Array', () => {
    expect(message).toBeInstanceOf(Message);
    expect(message).toBeInstanceOf(Buffer);
    expect(message).toBeInstanceOf(Uint8Array);
    expect(Buffer.isBuffer(message)).toBe(true);
    expect(types.isUint8Array(message)).toBe(true);
    expect(ArrayBuffer.isView(message)).toBe(true);
    expect(message.constructor).toBe(Message);
    expect(Object.prototype.toString.call(message)).toBe('[object Uint8Array]');
  });

  it('lies in shared memory', () => {
    expect(types.isSharedArrayBuffer(message.buffer)).toBe(true);
    expect(message.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it('converts to text and JSON as a Buffer does', () => {
    expect(message.toString()).toBe('{"a": "ä€"}');
    expect(`${message}`).toBe('{"a": "ä€"}');
    expect(String(message)).toBe('{"a": "ä€"}');
    expect(message.toString('hex')).toBe(expected.toString('hex'));
    expect(message.toString('base64', 1, 5)).toBe(expected.toString('base64', 1, 5));
    expect(JSON.parse(message as unknown as string)).toEqual({ a: 'ä€' });
    expect(JSON.parse(JSON.stringify(message))).toEqual(expected.toJSON());
    expect(new TextDecoder().decode(message.copy())).toBe('{"a": "ä€"}');
  });

  it('is indexed and iterated byte by byte', () => {
    expect(message.length).toBe(expected.length);
    expect(message.byteLength).toBe(expected.length);
    expect(message[0]).toBe(123);
    expect(message.at(-1)).toBe(125);
    expect(message[message.length]).toBe(undefined);
    expect([...message]).toEqual([...expected]);
    expect([...message.entries()]).toEqual([...expected.entries()]);
    expect(Array.from(message)).toEqual([...expected]);
    let count = 0;
    for (const byte of message) expect(byte).toBe(expected[count++]);
    expect(count).toBe(expected.length);
  });

  it('is compared and searched as a Buffer is', () => {
    expect(message.equals(expected)).toBe(true);
    expect(expected.equals(message)).toBe(true);
    expect(Buffer.compare(message, expected)).toBe(0);
    expect(message.compare(Buffer.from('{'))).toBe(1);
    expect(message.indexOf('a')).toBe(2);
    expect(message.indexOf(Buffer.from('€'))).toBe(expected.indexOf('€'));
    expect(message.includes('zzz')).toBe(false);
    expect(message.readUInt16BE(0)).toBe(0x7b22);
    expect(message.readDoubleLE(0)).toBe(expected.readDoubleLE(0));
  });

  it('gives slices that share its memory', () => {
    for (const slice of [message.slice(2, 3), message.subarray(2, 3)]) {
      expect(Buffer.isBuffer(slice)).toBe(true);
      expect(slice.toString()).toBe('a');
      expect(slice.buffer).toBe(message.buffer);
      expect(slice.byteOffset).toBe(message.byteOffset + 2);
    }
    expect(message.slice(-2).toString()).toBe('"}');
  });

  it('gives Buffers of their own for map, filter and their like', () => {
    const mapped = message.map((byte) => byte);
    expect(Buffer.isBuffer(mapped)).toBe(true);
    expect(mapped).not.toBeInstanceOf(Message);
    expect(mapped.buffer).not.toBe(message.buffer);
    expect(Buffer.compare(mapped, expected)).toBe(0);
    expect(message.filter((byte) => byte === 34).toString()).toBe('""""');
    expect(Uint8Array.prototype.subarray.call(message, 0, 2)).toHaveLength(2);
    expect(Uint8Array.from(message)).toEqual(Uint8Array.from(expected));
  });

  it('goes into Buffer.concat, Buffer.from and TypedArray.set', () => {
    expect(Buffer.concat([message, message]).toString()).toBe('{"a": "ä€"}{"a": "ä€"}');
    expect(Buffer.from(message).equals(expected)).toBe(true);
    const target = new Uint8Array(20);
    target.set(message, 3);
    expect(Buffer.from(target.buffer, 3, message.length).equals(expected)).toBe(true);
  });

  it('can be written to a file', async () => {
    const path = temporaryFile();
    const file = openSync(path, 'w');
    expect(writeSync(file, message)).toBe(expected.length);
    expect(writeSync(file, message, 2, 1)).toBe(1);
    closeSync(file);
    expect(readFileSync(path, 'utf8')).toBe('{"a": "ä€"}a');
  });

  it('is shared, not copied, by structuredClone and postMessage', async () => {
    const clone = structuredClone(message);
    expect(clone).toBeInstanceOf(Uint8Array);
    expect(Buffer.from(clone).equals(expected)).toBe(true);
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => port1.close());
    const posted = new Promise<Uint8Array>((resolve) => port2.once('message', resolve));
    port1.postMessage(message);
    const arrived = await within('the message comes out of the port', posted);
    const before = message[0]!;
    message[0] = 0x5b;
    expect([clone[0], arrived[0]]).toEqual([0x5b, 0x5b]);
    arrived[0] = before;
    expect(message[0]).toBe(before);
  });

  it('has copy() for a Buffer that is not shared', () => {
    const copy = message.copy();
    expect(Buffer.isBuffer(copy)).toBe(true);
    expect(copy).not.toBeInstanceOf(Message);
    expect(copy.buffer).toBeInstanceOf(ArrayBuffer);
    expect(copy.equals(expected)).toBe(true);
    copy[0] = 0;
    expect(message[0]).toBe(123);
    expect(structuredClone(copy.buffer, { transfer: [copy.buffer] }).byteLength).toBe(expected.length);
  });

  it("has Buffer's copy(target), too", () => {
    const target = Buffer.alloc(20, '.');
    expect(message.copy(target)).toBe(expected.length);
    expect(target.toString()).toBe(`{"a": "ä€"}${'.'.repeat(20 - expected.length)}`);
    const part = Buffer.alloc(4, '.');
    expect(message.copy(part, 1, 2, 4)).toBe(2);
    expect(part.toString()).toBe('.a".');
    expect(message.copy(new Uint8Array(2), 0)).toBe(2);
  });

  it('can be sent, also several times when it is small', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send([message, message]);
    await push.send(message);
    const frames = await within('two frames', pull.recvMultipart());
    expect(frames.map((frame) => frame.equals(expected))).toEqual([true, true]);
    expect((await within('one frame', pull.recv())).equals(expected)).toBe(true);
    expect(message.isFreed).toBe(true);
  });

  it('is free, and releasing it is harmless', async () => {
    expect(message.isFreed).toBe(true);
    expect(await within('freed', message.freed)).toBe(undefined);
    expect(message.more).toBe(false);
  });

  it('says what it is when it is printed', () => {
    expect(inspect(message)).toMatch(/^<Message 7b 22 61 .*>$/);
  });
});

describe('Message.alloc', () => {
  it('gives zeros, to be filled', async () => {
    const message = Message.alloc(10);
    expect(message.equals(Buffer.alloc(10))).toBe(true);
    message.writeUInt32LE(0xdeadbeef, 2);
    expect((await received(message)).readUInt32LE(2)).toBe(0xdeadbeef);
  });

  it('gives an empty message for 0', async () => {
    expect(Message.alloc(0).length).toBe(0);
    expect((await received(Message.alloc(0))).length).toBe(0);
  });

  it('can be read into from a file', () => {
    const path = temporaryFile();
    writeFileSync(path, 'contents');
    const file = openSync(path, 'r');
    const message = Message.alloc(8);
    expect(readSync(file, message)).toBe(8);
    closeSync(file);
    expect(String(message)).toBe('contents');
  });

  it.each([-1, 1.5, Number.NaN, Infinity, 2 ** 32, 2 ** 40, '8', 8n, null, undefined, {}, [8]])(
    'refuses %s',
    (length) => {
      expect(() => Message.alloc(length as never)).toThrow(ArgumentError);
      expect(() => Message.alloc(length as never)).toThrow(
        /^length: expected an integer from 0 to 4294967295/,
      );
    },
  );
});

describe('Message.from', () => {
  const memory = Uint8Array.of(1, 2, 3, 4).buffer;

  it.each<[string, Parameters<typeof Message.from>[0], number[]]>([
    ['a string', 'ä', [0xc3, 0xa4]],
    ['an empty string', '', []],
    ['a Buffer', Buffer.of(1, 2), [1, 2]],
    ['a Uint16Array', Uint16Array.of(0x0201), [1, 2]],
    ['a DataView', new DataView(memory, 1, 2), [2, 3]],
    ['an ArrayBuffer', memory, [1, 2, 3, 4]],
    ['a SharedArrayBuffer', new SharedArrayBuffer(2), [0, 0]],
    ['an array of numbers', [1, 256, -1], [1, 0, 255]],
    ['an iterable of numbers', new Set([5, 6]), [5, 6]],
    ['an array-like of numbers', { length: 2, 0: 7, 1: 8 }, [7, 8]],
    ['a Message', Message.from('x'), [120]],
  ])('copies %s', (_, data, expected) => {
    const message = Message.from(data);
    expect(message).toBeInstanceOf(Message);
    expect([...message]).toEqual(expected);
  });

  it('copies: what happens to the source later is not seen', () => {
    const source = Buffer.from('abc');
    const message = Message.from(source);
    source.fill(0);
    expect(String(message)).toBe('abc');
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a number', 5],
    ['a bigint', 5n],
    ['a boolean', true],
    ['a symbol', Symbol('s')],
    ['a function', () => {}],
    ['an object', {}],
    ['a list of strings', ['a']],
    ['a sparse list', Object.assign(new Array(3), { 0: 1 })],
    ['a length that is no length', { length: -1 }],
    ['a length beyond all memory', { length: 2 ** 40 }],
    ['a fractional length', { length: 1.5 }],
    ['a list that claims four billion bytes', { length: 2 ** 32 - 1 }],
  ])('refuses %s', (_, data) => {
    expect(() => Message.from(data as never)).toThrow(ArgumentError);
    expect(() => Message.from(data as never)).toThrow(/^data.*: expected .*, got /);
  });
});

describe('Message.from, of text', () => {
  it('takes an encoding, as Buffer.from does', () => {
    expect([...Message.from('01ff', 'hex')]).toEqual([0x01, 0xff]);
    expect(String(Message.from('aGVsbG8=', 'base64'))).toBe('hello');
    expect(() => Message.from('x', 'utf9' as never)).toThrow(
      /^encoding: expected an encoding such as 'utf8'/,
    );
  });

  it('can be passed to map', () => {
    expect(['a', 'b'].map(Message.from).map(String)).toEqual(['a', 'b']);
  });
});

describe('new Message', () => {
  it.each<[string, string | number | readonly number[] | Buffer | ArrayBuffer, number[]]>([
    ['text', 'foo', [102, 111, 111]],
    ['bytes', Buffer.of(1, 2), [1, 2]],
    ['a list of numbers', [3, 4], [3, 4]],
    ['an ArrayBuffer', Uint8Array.of(5, 6).buffer, [5, 6]],
    ['a length', 3, [0, 0, 0]],
  ])('makes a message of %s', async (_, data, expected) => {
    const message = new Message(data as string);
    expect(Object.getPrototypeOf(message)).toBe(Message.prototype);
    expect(message.constructor).toBe(Message);
    expect(message.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect([...message]).toEqual(expected);
    expect([...(await received(message))]).toEqual(expected);
  });

  it('takes the encoding of text', () => {
    expect(String(new Message('6869', 'hex'))).toBe('hi');
    expect(() => new Message('x', 'utf9' as never)).toThrow(/^encoding: expected/);
  });

  it('is a view of shared memory, or of a part of it', () => {
    const memory = new SharedArrayBuffer(8);
    const part = new Message(memory, 2, 3);
    expect([part.byteOffset, part.length]).toEqual([2, 3]);
    expect(new Message(memory, 6).length).toBe(2);
    part[0] = 7;
    expect(new Message(memory)[2]).toBe(7);
  });

  it.each([undefined, null, true, 5n, {}, () => {}, ['a']])('refuses %s', (data) => {
    expect(() => new Message(data as never)).toThrow(ArgumentError);
  });

  it.each([
    [[-1], /^length: expected/],
    [[1.5], /^length: expected/],
    [[new SharedArrayBuffer(4), 5], /^byteOffset: expected an integer from 0 to 4/],
    [[new SharedArrayBuffer(4), 1, 4], /^length: expected an integer from 0 to 3/],
    [[new SharedArrayBuffer(4), '1'], /^byteOffset: expected/],
    [[new ArrayBuffer(4), 1, 2], /^data: expected a SharedArrayBuffer before an offset/],
  ])('refuses %s', (given, problem) => {
    const make = (): Message => new Message(...(given as [never]));
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(problem);
  });

  it('is one class with what is received', async () => {
    const message = await received('x');
    expect(message.constructor).toBe(Message);
    expect(message).toStrictEqual(new Message('x'));
    expect(() => (Message as unknown as (data: string) => Message)('x')).toThrow(TypeError);
  });

  it('can be extended, and of gives shared memory', () => {
    class Named extends Message {
      readonly label = 'mine';
    }
    const named = new Named('abc');
    expect(named).toBeInstanceOf(Message);
    expect([named.label, String(named)]).toEqual(['mine', 'abc']);
    const listed = (Message as unknown as typeof Uint8Array).of(1, 2);
    expect(listed.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect([...listed]).toEqual([1, 2]);
  });
});

describe('Message.wrap', () => {
  it('is a view of the same memory, not a copy', () => {
    const memory = new SharedArrayBuffer(16);
    const view = new Uint16Array(memory, 4, 3);
    const message = Message.wrap({ owner: true }, view);
    expect([message.buffer, message.byteOffset, message.length]).toEqual([memory, 4, 6]);
    view[0] = 0x6261;
    expect(message.toString('latin1', 0, 2)).toBe('ab');
  });

  it('takes a DataView and a Buffer', () => {
    const memory = new SharedArrayBuffer(16);
    expect(Message.wrap(null, new DataView(memory, 8)).byteOffset).toBe(8);
    expect(Message.wrap(null, Buffer.from(memory, 2, 3)).length).toBe(3);
  });

  it('takes a view of a growable SharedArrayBuffer, which is copied when it is sent', async () => {
    const memory = new (SharedArrayBuffer as new (size: number, options: object) => SharedArrayBuffer)(
      65536,
      {
        maxByteLength: 131072,
      },
    );
    const message = Message.wrap(null, new Uint8Array(memory).fill(7));
    const copy = await received(message);
    expect(copy.equals(Buffer.alloc(65536, 7))).toBe(true);
    expect(message.isFreed).toBe(true);
  });

  it.each<[string, unknown]>([
    ['a Buffer that is not shared', Buffer.alloc(8)],
    ['a SharedArrayBuffer itself', new SharedArrayBuffer(8)],
    ['a string', 'abc'],
    ['nothing', undefined],
    ['null', null],
    ['an array', [1, 2]],
    ['an object', { buffer: new SharedArrayBuffer(8), byteOffset: 0, byteLength: 8 }],
    ['a proxy of a view', new Proxy(new Uint8Array(new SharedArrayBuffer(8)), {})],
  ])('refuses %s', (_, view) => {
    expect(() => Message.wrap(null, view as never)).toThrow(ArgumentError);
    expect(() => Message.wrap(null, view as never)).toThrow(/^view: expected .*, got /);
  });

  it('says how to send memory that is not shared', () => {
    expect(() => Message.wrap(null, Buffer.alloc(8))).toThrow('Message.from');
  });
});

describe('freed', () => {
  const large = 64 * 1024;

  it('is pending while libzmq has the memory, and resolves once it was sent', async () => {
    const push = ofTest(new Push());
    push.connect(await endpoints.unboundTcp());
    const message = Message.from(pattern(1, 0, large));
    await push.send(message);
    expect(message.isFreed).toBe(false);
    let freed = false;
    const waiting = message.freed.then(() => {
      freed = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect([freed, message.isFreed]).toEqual([false, false]);
    const pull = ofTest(new Pull());
    pull.bind(push.lastEndpoint!);
    expect((await within('receiving', pull.recv())).equals(pattern(1, 0, large))).toBe(true);
    await within('the memory is free', waiting);
    expect(message.isFreed).toBe(true);
    message.fill(1);
    await push.send(message);
    expect((await within('receiving it again', pull.recv()))[0]).toBe(1);
  });

  it('resolves for everybody who asked, and at once afterwards', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const message = Message.alloc(large);
    await push.send(message);
    const waits = [message.freed, message.freed];
    await within('receiving', pull.recv());
    await within('both waits', Promise.all(waits));
    await within('a third wait', message.freed);
  });

  it('refuses to send a message that is being sent, and loses nothing', async () => {
    const push = ofTest(new Push());
    const message = Message.from(pattern(2, 0, large));
    const other = Message.from(pattern(3, 0, large));
    push.connect(await endpoints.unboundTcp());
    await push.send(message);
    for (const attempt of [message, ['head', message], [other, message], [other, other]]) {
      const error = await push.send(attempt).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ArgumentError);
      expect((error as Error).message).toMatch(
        /a Message that is not being sent \(await message.freed first\)/,
      );
      expect(() => push.trySend(attempt)).toThrow(ArgumentError);
      expect(() => push.sendSync(attempt)).toThrow(ArgumentError);
    }
    expect(other.isFreed).toBe(true);
    await within('the other one is free', other.freed);
    await push.send(other);
    const pull = ofTest(new Pull());
    pull.bind(push.lastEndpoint!);
    expect((await within('the first', pull.recv())).equals(pattern(2, 0, large))).toBe(true);
    expect((await within('the other', pull.recv())).equals(pattern(3, 0, large))).toBe(true);
    await within('both are free', Promise.all([message.freed, other.freed]));
  });

  it('resolves for a message that could not be sent', async () => {
    const router = ofTest(new Router({ mandatory: true }));
    const message = Message.alloc(large);
    await expect(router.send(['nobody', message])).rejects.toMatchObject({ code: 'EHOSTUNREACH' });
    await within('freed after EHOSTUNREACH', message.freed);
    const push = ofTest(new Push());
    expect(push.trySend(message)).toBe(false);
    await within('freed after EAGAIN', message.freed);
    await expect(push.send(message, { timeout: 1 })).rejects.toMatchObject({ code: 'EAGAIN' });
    await within('freed after a timeout', message.freed);
    const abort = new AbortController();
    const cancelled = push.send(message, { signal: abort.signal });
    expect(message.isFreed).toBe(false);
    abort.abort();
    await expect(cancelled).rejects.toThrow('aborted');
    await within('freed after an abort', message.freed);
    const closing = push.send(message);
    push.close();
    await expect(closing).rejects.toMatchObject({ code: 'ENOTSOCK' });
    await within('freed after close', message.freed);
  });

  it('resolves for what a closed socket dropped', async () => {
    const push = ofTest(new Push());
    push.connect(await endpoints.unboundTcp());
    const message = Message.alloc(large);
    await push.send(message);
    expect(message.isFreed).toBe(false);
    push.close({ linger: 0 });
    await within('freed after linger 0', message.freed);
  });

  it('keeps the owner of wrapped memory reachable until libzmq is done', async () => {
    const push = ofTest(new Push());
    push.connect(await endpoints.unboundTcp());
    let collected = false;
    const registry = new FinalizationRegistry(() => {
      collected = true;
    });
    await (async () => {
      const owner = { memory: new SharedArrayBuffer(large) };
      registry.register(owner, undefined);
      const message = Message.wrap(owner, new Uint8Array(owner.memory).fill(5));
      await push.send(message);
    })();
    for (let round = 0; round < 5; round += 1) {
      globalThis.gc!();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(collected).toBe(false);
    const pull = ofTest(new Pull());
    pull.bind(push.lastEndpoint!);
    expect((await within('receiving', pull.recv())).equals(Buffer.alloc(large, 5))).toBe(true);
    await within(
      'the owner is collected',
      (async () => {
        while (!collected) {
          globalThis.gc!();
          await new Promise((resolve) => setImmediate(resolve));
        }
      })(),
    );
  });

  it('sends from a message posted by another thread without a copy', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
       const view = new Uint8Array(new SharedArrayBuffer(${large})).fill(9);
       parentPort.postMessage(view);`,
      { eval: true },
    );
    onTestFinished(() => void worker.terminate());
    const view = await within(
      'the worker posts',
      new Promise<Uint8Array>((resolve) => worker.once('message', resolve)),
    );
    await push.send(Message.wrap(worker, view));
    expect((await within('receiving', pull.recv())).equals(Buffer.alloc(large, 9))).toBe(true);
  });
});
