/** recv(as): received bytes as values. */
import { describe, expect, it } from 'vitest';

import { ArgumentError, DecodeError, Message, Pull, Push, type Sendable, ZmqError } from 'zeromq-threads';

import { within } from './bounded.js';
import { linked, ofTest } from './linked.js';
import { endpoints } from './peers/index.js';

const f64 = new Float64Array([Math.PI]);

/** What is sent, how it is received, and what comes out. */
const fitting: Array<[as: unknown, sent: Sendable, value: unknown]> = [
  ['utf8', 'grüße', 'grüße'],
  ['utf8', '', ''],
  ['string', 'text', 'text'],
  ['latin1', Buffer.of(0xe4), 'ä'],
  ['ascii', 'abc', 'abc'],
  ['hex', Buffer.of(1, 0xab), '01ab'],
  ['base64', Buffer.from('hello'), 'aGVsbG8='],
  ['json', '{"a":[1,null,"ü"]}', { a: [1, null, 'ü'] }],
  ['json', '"text"', 'text'],
  ['json', 'null', null],
  ['bool', Buffer.of(1), true],
  ['bool', Buffer.of(0), false],
  ['i8', Buffer.of(0xff), -1],
  ['u8', Buffer.of(0xff), 255],
  ['i16', Int16Array.of(-2), -2],
  ['u16', Uint16Array.of(65535), 65535],
  ['i32', Int32Array.of(-3), -3],
  ['u32', Uint32Array.of(2 ** 32 - 1), 2 ** 32 - 1],
  ['i64', BigInt64Array.of(-(2n ** 63n)), -(2n ** 63n)],
  ['u64', BigUint64Array.of(2n ** 64n - 1n), 2n ** 64n - 1n],
  ['f32', Float32Array.of(1.5), 1.5],
  ['f64', f64, Math.PI],
  [Int8Array, Buffer.of(1, 255), Int8Array.of(1, -1)],
  [Uint8Array, Buffer.of(1, 255), Uint8Array.of(1, 255)],
  [Uint8ClampedArray, Buffer.of(7), Uint8ClampedArray.of(7)],
  [Int16Array, Int16Array.of(1, -1), Int16Array.of(1, -1)],
  [Uint16Array, Uint16Array.of(1, 2), Uint16Array.of(1, 2)],
  [Int32Array, Int32Array.of(1, -1), Int32Array.of(1, -1)],
  [Uint32Array, Uint32Array.of(1, 2), Uint32Array.of(1, 2)],
  [BigInt64Array, BigInt64Array.of(-1n), BigInt64Array.of(-1n)],
  [BigUint64Array, BigUint64Array.of(1n), BigUint64Array.of(1n)],
  [Float32Array, Float32Array.of(0.5, 1), Float32Array.of(0.5, 1)],
  [Float64Array, Float64Array.of(0.1, 2), Float64Array.of(0.1, 2)],
  [Float64Array, '', new Float64Array(0)],
  [String, 'grüße', 'grüße'],
  [(message: Message) => message.length, 'four', 4],
  [async (message: Message) => `${message}!`, 'later', 'later!'],
  [() => undefined, 'anything', undefined],
];

/** What is sent, how it is received, and what the DecodeError says. */
const unfitting: Array<[as: unknown, sent: Sendable, message: string | RegExp]> = [
  ['utf8', Buffer.of(0xff, 0xfe), 'expected UTF-8, got 2 bytes that are not'],
  ['string', Buffer.of(0xc3), 'expected UTF-8, got 1 bytes that are not'],
  [String, Buffer.of(0xc3), 'expected UTF-8, got 1 bytes that are not'],
  ['json', 'not json', 'expected JSON, got 8 bytes that are not'],
  ['json', '', 'expected JSON, got 0 bytes that are not'],
  ['json', Buffer.of(0x22, 0xff, 0x22), 'expected JSON, got 3 bytes that are not'],
  ['bool', Buffer.of(2), 'expected one byte, 0 or 1, got 1 bytes'],
  ['bool', '', 'expected one byte, 0 or 1, got 0 bytes'],
  ['bool', Buffer.of(1, 1), 'expected one byte, 0 or 1, got 2 bytes'],
  ['u8', Buffer.of(1, 2), 'expected 1 bytes for u8, got 2 bytes'],
  ['i32', Buffer.alloc(3), 'expected 4 bytes for i32, got 3 bytes'],
  ['i64', Buffer.alloc(4), 'expected 8 bytes for i64, got 4 bytes'],
  ['f64', Buffer.alloc(16), 'expected 8 bytes for f64, got 16 bytes'],
  ['f32', '', 'expected 4 bytes for f32, got 0 bytes'],
  [Float64Array, Buffer.alloc(12), 'expected a multiple of 8 bytes for Float64Array, got 12 bytes'],
  [Uint16Array, Buffer.alloc(1), 'expected a multiple of 2 bytes for Uint16Array, got 1 bytes'],
];

const nonsense: unknown[] = [
  'utf-8',
  'JSON',
  'float64',
  '',
  'constructor',
  '__proto__',
  5,
  5n,
  true,
  Symbol('utf8'),
  null,
  Map,
  DataView,
  ArrayBuffer,
  Date,
  Number,
  class Point {},
  Message,
];

async function waysToReceive(pull: Pull, as: unknown, sync: boolean): Promise<unknown> {
  return sync ? await pull.recvSync(as as never) : pull.recv(as as never);
}

describe.each([
  ['recv', false],
  ['recvSync', true],
])('%s(as)', (_, sync) => {
  it.each(fitting)('%o: decodes %o as %o', async (as, sent, value) => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send(sent);
    const decoded = await within('decoding', waysToReceive(pull, as, sync));
    expect(decoded).toEqual(value);
    if (typeof value === 'object' && value !== null) {
      expect((decoded as object).constructor).toBe((value as object).constructor);
    }
  });

  it.each(['buffer', 'bytes', Buffer])('%o gives a copy that is not shared', async (as) => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send(Buffer.of(1, 2, 3));
    const copy = (await within('decoding', waysToReceive(pull, as, sync))) as Buffer;
    expect(Buffer.isBuffer(copy)).toBe(true);
    expect(copy).not.toBeInstanceOf(Message);
    expect(copy.buffer).toBeInstanceOf(ArrayBuffer);
    expect([...copy]).toEqual([1, 2, 3]);
  });

  it('gives typed arrays of their own, aligned, whatever came before in the chunk', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    for (let size = 0; size < 20; size += 1) {
      await push.send(Buffer.alloc(size, 1));
      await push.send(Float64Array.of(size, -size));
    }
    for (let size = 0; size < 20; size += 1) {
      await within('filler', pull.recv());
      const array = (await within('decoding', waysToReceive(pull, Float64Array, sync))) as Float64Array;
      expect([...array]).toEqual([size, -size]);
      expect([array.byteOffset, array.buffer.byteLength]).toEqual([0, 16]);
    }
  });

  it.each(unfitting)('%o: refuses %o with a DecodeError that has the bytes', async (as, sent, message) => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send(sent);
    await push.send('next');
    const error = await within(
      'decoding',
      waysToReceive(pull, as, sync).catch((reason: unknown) => reason),
    );
    expect(error).toBeInstanceOf(DecodeError);
    expect(error).toBeInstanceOf(ZmqError);
    const { bytes, code, errno } = error as DecodeError;
    expect({ code, errno, message: (error as Error).message }).toEqual({
      code: 'EDECODE',
      errno: 0,
      message,
    });
    const original = typeof sent === 'string' ? Buffer.from(sent) : (sent as Uint8Array);
    expect(Buffer.compare(bytes, original)).toBe(0);
    expect(bytes.buffer).toBeInstanceOf(ArrayBuffer);
    expect(String(await within('the next message', pull.recv()))).toBe('next');
  });

  it('passes the JSON error on as the cause', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send('{');
    const error = await waysToReceive(pull, 'json', sync).catch((reason: unknown) => reason);
    expect((error as Error).cause).toBeInstanceOf(SyntaxError);
  });

  it.each([
    [
      'throws',
      (problem: unknown) => (): never => {
        throw problem;
      },
    ],
    [
      'rejects with',
      (problem: unknown) => async (): Promise<never> => {
        throw problem;
      },
    ],
    [
      'gives a thenable that rejects with',
      (problem: unknown) => (): PromiseLike<never> => ({
        // biome-ignore lint/suspicious/noThenProperty: that is what it is about
        then: (_, reject) => Promise.reject(problem).then(null, reject),
      }),
    ],
  ])('has the bytes of a message that a function %s an error for', async (_, failing) => {
    const [pull, push] = linked(new Pull(), new Push());
    for (const problem of [new RangeError('not today'), 'a reason that is no error']) {
      await push.send('xyz');
      const error = await waysToReceive(pull, failing(problem), sync).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(DecodeError);
      const { message, bytes, cause } = error as DecodeError;
      expect(message).toMatch(
        /^expected what the function can decode, got 3 bytes: .*(not today|is no error)/,
      );
      expect(Buffer.from(bytes).toString()).toBe('xyz');
      expect(cause).toBe(problem);
    }
  });

  it('passes on a DecodeError of a function', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send('x');
    const problem = new DecodeError('no x', Buffer.from('mine'));
    const decode = (): never => {
      throw problem;
    };
    expect(await waysToReceive(pull, decode, sync).catch((reason: unknown) => reason)).toBe(problem);
  });

  it('hands a function the message itself', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send(['a', 'b']);
    const decode = (message: Message): unknown => [message instanceof Message, message.more, `${message}`];
    expect(await waysToReceive(pull, decode, sync)).toEqual([true, true, 'a']);
  });

  it('refuses what is no format, before it receives anything', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send('still here');
    for (const as of nonsense) {
      const error = await waysToReceive(pull, as, sync).catch((reason: unknown) => reason);
      expect(error, String(as)).toBeInstanceOf(ArgumentError);
      expect((error as Error).message).toMatch(/^as: expected a format \(utf8, .*\), .*, got /);
    }
    expect(await waysToReceive(pull, 'utf8', sync)).toBe('still here');
  });
});

describe('recv(as, options)', () => {
  it('takes a timeout and a signal', async () => {
    const pull = ofTest(new Pull());
    await expect(pull.recv('utf8', { timeout: 1 })).rejects.toMatchObject({
      code: 'EAGAIN',
      timeoutSecs: 0.001,
    });
    await expect(pull.recv('json', { signal: AbortSignal.abort('no') })).rejects.toBe('no');
    expect(() => pull.recvSync('utf8', { timeout: 1 })).toThrow(expect.objectContaining({ code: 'EAGAIN' }));
  });

  it('takes options alone, and after undefined', async () => {
    const pull = ofTest(new Pull());
    await expect(pull.recv({ timeout: 1 })).rejects.toMatchObject({ code: 'EAGAIN' });
    await expect(pull.recv(undefined, { timeout: 1 })).rejects.toMatchObject({ code: 'EAGAIN' });
    expect(() => pull.recvSync({ timeout: 1 })).toThrow(expect.objectContaining({ code: 'EAGAIN' }));
  });

  it('refuses an object before options, which would be ignored', async () => {
    const [pull, push] = linked(new Pull(), new Push(), endpoints.inproc());
    await push.send('still here');
    const refused = /^as: expected a format .*, got (object|array)/;
    for (const first of [{}, { timeout: 1 }, [Float64Array]]) {
      await expect(pull.recv(first as never, { timeout: 0 })).rejects.toThrow(refused);
      expect(() => pull.recvSync(first as never, { timeout: 0 })).toThrow(refused);
    }
    expect(await pull.recv('utf8')).toBe('still here');
  });

  it('decodes frame by frame in the order of the calls', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const decoded = Promise.all([
      pull.recv('utf8'),
      pull.recv('json'),
      pull.recv(Uint8Array),
      pull.recv('u8'),
    ]);
    await push.send(['text', '{"n":1}', Buffer.of(1, 2), Buffer.of(3)]);
    expect(await within('all four', decoded)).toEqual(['text', { n: 1 }, Uint8Array.of(1, 2), 3]);
  });
});
