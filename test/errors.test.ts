import { constants } from 'node:os';
import { inspect } from 'node:util';

import { afterEach, describe, expect, it } from 'vitest';

import {
  ArgumentError,
  argumentError,
  ContextClosedError,
  DecodeError,
  errnoCode,
  errnoOf,
  notSupportedError,
  PollerClosedError,
  SocketClosedError,
  setErrnoTexts,
  TimeoutError,
  ZmqError,
  zmqError,
} from '../src/errors.js';

const EFSM = 156384763;

describe('error classes', () => {
  const samples: Array<[error: Error, name: string, code: string]> = [
    [new ZmqError('x', { code: 'EINVAL' }), 'ZmqError', 'EINVAL'],
    [new TimeoutError('recv', 0.1), 'TimeoutError', 'EAGAIN'],
    [new SocketClosedError(), 'SocketClosedError', 'ENOTSOCK'],
    [new PollerClosedError(), 'PollerClosedError', 'EPOLLERCLOSED'],
    [new ContextClosedError(), 'ContextClosedError', 'ETERM'],
    [new DecodeError('x', new Uint8Array(1)), 'DecodeError', 'EDECODE'],
    [new ArgumentError('x'), 'ArgumentError', 'ERR_INVALID_ARG'],
  ];

  it.each(samples)(
    '%s has its name and code, and its stack starts with both name and message',
    (error, name, code) => {
      expect(error.name).toBe(name);
      expect(error).toHaveProperty('code', code);
      expect(error.stack).toContain(error.message);
      expect(String(error)).toBe(`${name}: ${error.message}`);
      expect(Object.keys(error)).not.toContain('name');
    },
  );

  it('are ZmqErrors, all but ArgumentError, which is a TypeError', () => {
    for (const [error, name] of samples) {
      expect(error).toBeInstanceOf(Error);
      expect(error instanceof ZmqError).toBe(name !== 'ArgumentError');
      expect(error instanceof TypeError).toBe(name === 'ArgumentError');
    }
  });

  it('are told apart by instanceof', () => {
    expect(new TimeoutError('recv', 1)).not.toBeInstanceOf(SocketClosedError);
    expect(new ZmqError('x', { code: 'EAGAIN' })).not.toBeInstanceOf(TimeoutError);
  });

  it('keep a subclass its own name when it sets one', () => {
    class MyError extends ZmqError {
      override readonly name = 'MyError';
    }
    expect(String(new MyError('broken', { code: 'EINVAL' }))).toBe('MyError: broken');
  });

  it('carry their cause, and have none unless given', () => {
    const cause = new Error('why');
    expect(new PollerClosedError('closed', { cause }).cause).toBe(cause);
    expect('cause' in new PollerClosedError()).toBe(false);
  });

  it('TimeoutError says what timed out and after how many seconds', () => {
    const error = new TimeoutError('recv', 0.25);
    expect(error.timeoutSecs).toBe(0.25);
    expect(error.errno).toBe(constants.errno.EAGAIN);
    expect(error.message).toBe('recv timed out after 0.25 s');
  });

  it('DecodeError holds the bytes without printing them', () => {
    const bytes = Buffer.from('not json');
    const error = new DecodeError('not JSON', bytes);
    expect(error.bytes).toBe(bytes);
    expect(inspect(error)).not.toContain('6e 6f 74');
  });
});

describe('zmqError', () => {
  afterEach(() => setErrnoTexts(undefined));

  it('names the codes of the operating system and of libzmq', () => {
    expect(zmqError(constants.errno.EADDRINUSE, 'bind')).toMatchObject({
      code: 'EADDRINUSE',
      errno: constants.errno.EADDRINUSE,
    });
    expect(zmqError(EFSM, 'send')).toMatchObject({ code: 'EFSM', errno: EFSM });
    expect(zmqError(EFSM + 1, 'connect').code).toBe('ENOCOMPATPROTO');
    expect(zmqError(EFSM + 2, 'send').code).toBe('ETERM');
    expect(zmqError(EFSM + 3, 'bind').code).toBe('EMTHREAD');
  });

  it('prefers the names that libzmq documents where a number has two', () => {
    expect(errnoCode(constants.errno.EWOULDBLOCK)).toBe('EAGAIN');
    expect(errnoCode(constants.errno.EOPNOTSUPP)).toBe('ENOTSUP');
  });

  it('knows the substitutes that libzmq has for errors a system lacks', () => {
    expect(errnoCode(156384712 + 1)).toBe('ENOTSUP');
    expect(errnoCode(156384712 + 5)).toBe('EADDRINUSE');
    expect(errnoCode(156384712 + 18)).toBe('ENETRESET');
  });

  it('maps codes back to the numbers of this system', () => {
    expect(errnoOf('EAGAIN')).toBe(constants.errno.EAGAIN);
    expect(errnoOf('ENOTSUP')).toBe(constants.errno.ENOTSUP);
    expect(errnoOf('EFSM')).toBe(EFSM);
    expect(errnoOf('ENONSENSE')).toBe(0);
  });

  it('does not stumble over an unknown number', () => {
    expect(zmqError(987654321, 'send')).toMatchObject({ code: 'EUNKNOWN', errno: 987654321 });
    expect(zmqError(987654321, 'send').message).toContain('987654321');
  });

  it('says what failed, why, and the code', () => {
    setErrnoTexts((errno) => `text of ${errno}`);
    const { EADDRINUSE } = constants.errno;
    expect(zmqError(EADDRINUSE, 'Cannot bind to tcp://*:1').message).toBe(
      `Cannot bind to tcp://*:1: text of ${EADDRINUSE} (EADDRINUSE)`,
    );
    expect(zmqError(EFSM, 'send', 'receive first').message).toBe(
      `send: text of ${EFSM}: receive first (EFSM)`,
    );
  });

  it('has texts without the native module too', () => {
    expect(zmqError(EFSM, 'send').message).toContain('Operation cannot be accomplished in current state');
    expect(zmqError(constants.errno.EADDRINUSE, 'bind').message).toMatch(/address already in use/i);
  });

  it('is of the class that fits', () => {
    expect(zmqError(EFSM + 2, 'send')).toBeInstanceOf(ContextClosedError);
    expect(zmqError(constants.errno.ENOTSOCK, 'send')).toBeInstanceOf(SocketClosedError);
    expect(zmqError(constants.errno.EAGAIN, 'send')).not.toBeInstanceOf(TimeoutError);
  });

  it('has a sibling for what a socket type cannot do', () => {
    expect(notSupportedError('A PULL socket cannot send')).toMatchObject({
      code: 'ENOTSUP',
      errno: constants.errno.ENOTSUP,
      message: 'A PULL socket cannot send',
    });
  });
});

describe('argumentError', () => {
  it('says what was expected and what came', () => {
    const error = argumentError('timeout', 'a number of milliseconds or -1', 'soon');
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toBe("timeout: expected a number of milliseconds or -1, got string 'soon'");
  });

  class Thing {}
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const revokedFunction = Proxy.revocable(() => {}, {});
  revokedFunction.revoke();
  const hostile = {
    get constructor(): never {
      throw new Error('getter ran');
    },
    toString(): never {
      throw new Error('toString ran');
    },
  };
  const trapped = new Proxy(
    {},
    {
      get: () => {
        throw new Error('trap ran');
      },
      getPrototypeOf: () => {
        throw new Error('trap ran');
      },
      ownKeys: () => {
        throw new Error('trap ran');
      },
    },
  );

  // Not it.each: the test runner itself cannot print some of these.
  const samples: Array<[value: unknown, description: string]> = [
    [undefined, 'undefined'],
    [null, 'null'],
    [Number.NaN, 'number NaN'],
    [-0, 'number -0'],
    [1.5, 'number 1.5'],
    [10n, 'bigint 10n'],
    [true, 'boolean true'],
    ['', "string ''"],
    ["it's", "string 'it\\'s'"],
    ['a\nb\u0000', "string 'a\\x0ab\\x00'"],
    ['x'.repeat(1000), `string '${'x'.repeat(40)}...'`],
    [Symbol('s'), 'symbol Symbol(s)'],
    [Math.max, 'function max'],
    [() => {}, 'an anonymous function'],
    [Thing, 'function Thing'],
    [[1, 2, 3], 'array of length 3'],
    [{}, 'object {}'],
    [{ a: 1, b: 2, c: 3, d: 4 }, 'object { a, b, c, ... }'],
    [Object.create(null), 'null-prototype object {}'],
    [new Thing(), 'an instance of Thing'],
    [new Map(), 'an instance of Map'],
    [new Date(Number.NaN), 'an instance of Date'],
    [Buffer.alloc(3), 'Buffer of 3 bytes'],
    [new Float64Array(2), 'Float64Array of 16 bytes'],
    [new SharedArrayBuffer(8), 'SharedArrayBuffer of 8 bytes'],
    [Promise.resolve(), 'an instance of Promise'],
    [revoked.proxy, 'a proxy of an object'],
    [revokedFunction.proxy, 'a proxy of a function'],
    [trapped, 'a proxy of an object'],
    [Object.create(trapped), 'an instance of a class behind a proxy'],
    [new (class {})(), 'an instance of an anonymous class'],
  ];

  it('describes any value in a few words', () => {
    for (const [value, description] of samples) {
      expect(argumentError('arg', 'a fish', value).message).toBe(`arg: expected a fish, got ${description}`);
    }
  });

  it('runs no code of the value', () => {
    expect(argumentError('arg', 'a string', hostile).message).toMatch(/^arg: expected a string, got object/);
  });
});
