import { describe, expect, it } from 'vitest';

import { ArgumentError, ZmqError } from '../src/errors.js';
import {
  checkOptionAccess,
  decodeIntOption,
  decodeOption,
  encodeIntOption,
  encodeOption,
  findContextOption,
  findSocketOption,
  optionApplies,
  optionId,
  optionReadSize,
} from '../src/option-codec.js';
import { CONTEXT_OPTION_ENTRIES, SOCKET_OPTION_ENTRIES } from '../src/option-table.js';
import { contextSettings, defineOptionProperties, socketSettings } from '../src/option-types.js';
import { socketTypeOf, socketTypeOfId } from '../src/socket-types.js';

const option = findSocketOption;

/** For values that cannot be null. */
function bytesFor(name: string, value: unknown): Uint8Array {
  return encodeOption(option(name), value)!;
}

/** The bytes of a value as libzmq, a C library on this machine, has them. */
function int32(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer);
}
function int64(value: bigint): Uint8Array {
  return new Uint8Array(BigInt64Array.of(value).buffer);
}

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ArgumentError);
    return (error as Error).message;
  }
  throw new Error('expected an ArgumentError, nothing was thrown');
}

describe('finding an option', () => {
  it.each([
    'receiveTimeout',
    'rcvtimeo',
    'RCVTIMEO',
    'RcvTimeo',
    'ZMQ_RCVTIMEO',
    'zmq_rcvtimeo',
    'receive_timeout',
  ])('takes %s for receiveTimeout', (name) => {
    expect(findSocketOption(name).name).toBe('receiveTimeout');
  });

  it('knows old names of libzmq', () => {
    expect(findSocketOption('ZMQ_IDENTITY').name).toBe('routingId');
    expect(findSocketOption('delay_attach_on_connect').name).toBe('immediate');
  });

  it('keeps socket and context options of one name apart', () => {
    expect(findSocketOption('maxMessageSize').id).toBe(22);
    expect(findContextOption('maxMessageSize').id).toBe(5);
    expect(findContextOption('ZMQ_SOCKET_LIMIT').name).toBe('maxSocketsLimit');
    expect(findContextOption('thread_priority').name).toBe('threadPriority');
  });

  it('suggests a similar name for an unknown one', () => {
    expect(messageOf(() => findSocketOption('recieveTimeout'))).toContain("did you mean 'receiveTimeout'?");
    expect(messageOf(() => findSocketOption('rcvtimeout'))).toContain("did you mean 'receiveTimeout'?");
    expect(messageOf(() => findSocketOption('highWaterMark'))).toContain('HighWaterMark');
    expect(messageOf(() => findContextOption('iothread'))).toContain("did you mean 'ioThreads'?");
  });

  it('suggests nothing where nothing is similar', () => {
    expect(messageOf(() => findSocketOption('colour'))).not.toContain('did you mean');
    expect(messageOf(() => findSocketOption('x'.repeat(100_000)))).not.toContain('did you mean');
  });

  it.each([undefined, null, 17, Symbol('linger'), {}, ''])('refuses %s', (name) => {
    expect(messageOf(() => findSocketOption(name))).toMatch(
      /^option: expected the name of a socket option, got /,
    );
  });

  it('takes names that every object has for unknown ones', () => {
    expect(() => findSocketOption('constructor')).toThrow(ArgumentError);
    expect(() => findSocketOption('__proto__')).toThrow(ArgumentError);
  });
});

describe('int options', () => {
  it('are 32 bits in the byte order of the machine', () => {
    expect(encodeOption(option('linger'), 1000)).toEqual(int32(1000));
    expect(encodeOption(option('linger'), -1)).toEqual(int32(-1));
    expect(decodeOption(option('linger'), int32(-1))).toBe(-1);
  });

  it('are read wherever the bytes lie', () => {
    const padded = new Uint8Array(9);
    padded.set(int32(123456), 3);
    expect(decodeOption(option('linger'), padded.subarray(3, 7))).toBe(123456);
  });

  it.each([1.5, Number.NaN, Infinity, 2 ** 31, -2, '5', 5n, true, null, undefined, [1], {}])(
    'refuse %s',
    (value) => {
      const message = messageOf(() => encodeOption(option('linger'), value));
      expect(message).toMatch(/^linger: expected an integer from -1 to 2147483647 \(ms\), got /);
    },
  );

  it('keep to their range', () => {
    expect(encodeOption(option('tcpKeepalive'), 1)).toEqual(int32(1));
    expect(() => encodeOption(option('tcpKeepalive'), 2)).toThrow(ArgumentError);
    expect(() => encodeOption(option('rate'), 0)).toThrow(ArgumentError);
    expect(() => encodeOption(option('heartbeatTimeToLive'), 6553600)).toThrow(ArgumentError);
    expect(() => encodeOption(option('sendHighWaterMark'), -1)).toThrow(ArgumentError);
  });

  it('can be had as numbers, for context options', () => {
    expect(encodeIntOption(findContextOption('ioThreads'), 4)).toBe(4);
    expect(encodeIntOption(findContextOption('blocky'), false)).toBe(0);
    expect(decodeIntOption(findContextOption('ipv6'), 1)).toBe(true);
    expect(decodeIntOption(findContextOption('maxSockets'), 1023)).toBe(1023);
    expect(() => encodeIntOption(findContextOption('maxSockets'), 0)).toThrow(ArgumentError);
    for (const entry of CONTEXT_OPTION_ENTRIES) {
      expect(['int', 'bool'], entry.name).toContain(entry.type);
    }
  });
});

describe('bool options', () => {
  it('are 0 or 1 to libzmq', () => {
    expect(encodeOption(option('ipv6'), true)).toEqual(int32(1));
    expect(encodeOption(option('ipv6'), false)).toEqual(int32(0));
    expect(decodeOption(option('ipv6'), int32(1))).toBe(true);
    expect(decodeOption(option('ipv6'), int32(0))).toBe(false);
  });

  it.each([0, 1, 'true', null, undefined])('refuse %s', (value) => {
    expect(messageOf(() => encodeOption(option('ipv6'), value))).toMatch(/^ipv6: expected a boolean, got /);
  });
});

describe('64-bit options', () => {
  it('take numbers and bigints', () => {
    expect(encodeOption(option('maxMessageSize'), -1)).toEqual(int64(-1n));
    expect(encodeOption(option('maxMessageSize'), 2n ** 62n)).toEqual(int64(2n ** 62n));
    expect(encodeOption(option('affinity'), 2n ** 64n - 1n)).toEqual(int64(-1n));
  });

  it('are numbers where that is exact, and bigints beyond', () => {
    expect(decodeOption(option('maxMessageSize'), int64(-1n))).toBe(-1);
    expect(decodeOption(option('maxMessageSize'), int64(2n ** 53n - 1n))).toBe(2 ** 53 - 1);
    expect(decodeOption(option('maxMessageSize'), int64(2n ** 53n))).toBe(2n ** 53n);
    expect(decodeOption(option('affinity'), int64(-1n))).toBe(2n ** 64n - 1n);
  });

  it('refuse what is out of range, inexact or no integer', () => {
    for (const value of [-2, -2n, 2n ** 63n, 2 ** 53, 0.5, '1', null]) {
      expect(() => encodeOption(option('maxMessageSize'), value)).toThrow(ArgumentError);
    }
    expect(() => encodeOption(option('affinity'), -1)).toThrow(ArgumentError);
    expect(() => encodeOption(option('affinity'), 2n ** 64n)).toThrow(ArgumentError);
  });
});

describe('string options', () => {
  it('are UTF-8, and end at the first NUL when read', () => {
    expect(encodeOption(option('plainUsername'), 'jürgen')).toEqual(new Uint8Array(Buffer.from('jürgen')));
    expect(decodeOption(option('lastEndpoint'), Buffer.from('tcp://127.0.0.1:5555\0rubbish'))).toBe(
      'tcp://127.0.0.1:5555',
    );
    expect(decodeOption(option('lastEndpoint'), Buffer.from('inproc://a'))).toBe('inproc://a');
  });

  it('are null when empty', () => {
    expect(decodeOption(option('lastEndpoint'), Buffer.from('\0'))).toBeNull();
    expect(decodeOption(option('plainUsername'), new Uint8Array(0))).toBeNull();
  });

  it('take null for unset where libzmq does', () => {
    expect(encodeOption(option('socksProxy'), null)).toBeNull();
    expect(encodeOption(option('ipcFilterUid'), null)).toBeNull();
    expect(messageOf(() => encodeOption(option('zapDomain'), null))).toContain('got null');
  });

  it('refuse NULs, other types and lengths that libzmq does not take', () => {
    for (const value of ['a\0b', 'x'.repeat(256), 'ü'.repeat(128), '', 5, Buffer.from('abc'), undefined]) {
      expect(() => encodeOption(option('plainUsername'), value)).toThrow(ArgumentError);
    }
    expect(encodeOption(option('plainUsername'), 'x'.repeat(255))).toHaveLength(255);
  });

  it('do not give away secrets in messages', () => {
    const message = messageOf(() => encodeOption(option('plainPassword'), 'hunter2\0'));
    expect(message).not.toContain('hunter2');
    expect(message).toContain('a string of 8 characters');
  });
});

describe('binary options', () => {
  it('take strings and any kind of bytes', () => {
    const bytes = Uint8Array.of(1, 0, 2, 0);
    const shared = new Uint8Array(new SharedArrayBuffer(4));
    shared.set(bytes);
    for (const value of [
      bytes,
      Buffer.from(bytes),
      bytes.buffer,
      shared,
      shared.buffer,
      new DataView(bytes.buffer),
    ]) {
      expect(encodeOption(option('routingId'), value)).toEqual(bytes);
    }
    expect(encodeOption(option('routingId'), Uint16Array.of(7))).toHaveLength(2);
    expect(encodeOption(option('routingId'), 'worker')).toEqual(new Uint8Array(Buffer.from('worker')));
  });

  it('are copied, so that what the caller does later changes nothing', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const encoded = encodeOption(option('routingId'), bytes);
    bytes.fill(0);
    expect(encoded).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('are read as text where they are text and as bytes where they are not, NULs and all', () => {
    expect(decodeOption(option('routingId'), Buffer.from('worker'))).toBe('worker');
    expect(decodeOption(option('routingId'), Buffer.from('a\0b'))).toBe('a\0b');
    expect(decodeOption(option('routingId'), Uint8Array.of(0, 0x80, 0, 0x29))).toEqual(
      Buffer.from([0, 0x80, 0, 0x29]),
    );
    expect(decodeOption(option('routingId'), new Uint8Array(0))).toBeNull();
  });

  it('can be empty where that means something', () => {
    expect(encodeOption(option('subscribe'), '')).toHaveLength(0);
    expect(encodeOption(option('welcomeMessage'), null)).toBeNull();
    expect(encodeOption(option('welcomeMessage'), '')).toHaveLength(0);
    expect(encodeOption(option('welcomeMessage'), Buffer.alloc(1000))).toHaveLength(1000);
    for (const value of ['', Buffer.alloc(256), null, 5, {}, [1]]) {
      expect(() => encodeOption(option('routingId'), value)).toThrow(ArgumentError);
    }
  });
});

describe('CURVE keys', () => {
  // The server's test keys of libzmq's zmq_curve(7).
  const text = 'rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7';
  const hex = '8e0bdd697628b91d8f245587ee95c5b04d48963f79259877b49cd9063aead3b7';

  it('are 32 bytes to libzmq and 40 characters of Z85 to people', () => {
    expect(Buffer.from(bytesFor('curveSecretKey', text)).toString('hex')).toHaveLength(64);
    const bytes = bytesFor('curveServerKey', text);
    expect(bytes).toHaveLength(32);
    expect(decodeOption(option('curveServerKey'), bytes)).toBe(text);
  });

  it('agree with the example of RFC 32 on the bytes', () => {
    const bytes = bytesFor('curvePublicKey', Buffer.from(hex, 'hex'));
    expect(Buffer.from(bytes).toString('hex')).toBe(hex);
    expect(decodeOption(option('curvePublicKey'), bytes)).toBe('JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6');
  });

  it('are null where none is set', () => {
    expect(decodeOption(option('curveServerKey'), new Uint8Array(32))).toBeNull();
  });

  it('refuse everything else, without repeating it', () => {
    const badDigit = `${text.slice(0, 39)}~`;
    const overflow = '#'.repeat(40);
    for (const value of [text.slice(1), `${text}0`, badDigit, overflow, '', Buffer.alloc(31), null, 5]) {
      expect(messageOf(() => encodeOption(option('curveSecretKey'), value))).toContain(
        '40 Z85 characters or 32',
      );
    }
    expect(messageOf(() => encodeOption(option('curveSecretKey'), badDigit))).not.toContain('rq:');
    expect(messageOf(() => encodeOption(option('curveServerKey'), badDigit))).not.toContain('rq:');
  });
});

describe('choices', () => {
  it('have names for the numbers of libzmq', () => {
    expect(decodeOption(option('securityMechanism'), int32(0))).toBeNull();
    expect(decodeOption(option('securityMechanism'), int32(2))).toBe('curve');
    expect(encodeOption(option('gssapiPrincipalNameType'), 'krb5Principal')).toEqual(int32(2));
    expect(messageOf(() => encodeOption(option('gssapiPrincipalNameType'), 'kerberos'))).toContain(
      "expected 'hostBased' or 'userName' or 'krb5Principal', got string 'kerberos'",
    );
  });

  it('verbosity sets one of two options', () => {
    const entry = option('verbosity');
    expect([optionId(entry, null), encodeOption(entry, null)]).toEqual([40, int32(0)]);
    expect([optionId(entry, 'allSubs'), encodeOption(entry, 'allSubs')]).toEqual([40, int32(1)]);
    expect([optionId(entry, 'allSubsUnsubs'), encodeOption(entry, 'allSubsUnsubs')]).toEqual([78, int32(1)]);
    expect(() => encodeOption(entry, undefined)).toThrow(ArgumentError);
    expect(optionId(option('linger'), 5)).toBe(17);
  });
});

describe('reading', () => {
  it('asks libzmq for as many bytes as it insists on', () => {
    expect(optionReadSize(option('linger'))).toBe(4);
    expect(optionReadSize(option('ipv6'))).toBe(4);
    expect(optionReadSize(option('affinity'))).toBe(8);
    expect(optionReadSize(option('curveServerKey'))).toBe(32);
    expect(optionReadSize(option('routingId'))).toBeGreaterThanOrEqual(255);
    expect(optionReadSize(option('lastEndpoint'))).toBeGreaterThanOrEqual(256);
  });

  it('takes file descriptors of either size', () => {
    expect(decodeOption(option('fd'), int32(42))).toBe(42);
    expect(decodeOption(option('fd'), int64(42n))).toBe(42);
  });
});

describe('access', () => {
  it('is for the types that have the option', () => {
    expect(optionApplies(option('mandatory'), 'ROUTER')).toBe(true);
    expect(optionApplies(option('mandatory'), 'PULL')).toBe(false);
    expect(optionApplies(option('linger'), 'PULL')).toBe(true);
    expect(optionApplies(findContextOption('blocky'), 'PULL')).toBe(false);
  });

  it('fails with ENOTSUP that names option and type', () => {
    expect(() => checkOptionAccess(option('mandatory'), 'w', 'PULL')).toThrow(
      expect.objectContaining({
        code: 'ENOTSUP',
        message: "Option 'mandatory' (ZMQ_ROUTER_MANDATORY) is not supported by PULL sockets, only by ROUTER",
      }),
    );
    expect(() => checkOptionAccess(option('sndhwm'), 'w', 'PULL')).toThrow(ZmqError);
    expect(() => checkOptionAccess(option('sndhwm'), 'w', 'PUSH')).not.toThrow();
  });

  it('keeps read-only and write-only apart', () => {
    expect(() => checkOptionAccess(option('type'), 'r', 'PULL')).not.toThrow();
    expect(messageOf(() => checkOptionAccess(option('type'), 'w', 'PULL'))).toContain('is read-only');
    expect(messageOf(() => checkOptionAccess(option('probeRouter'), 'r', 'REQ'))).toContain(
      'can only be set',
    );
  });
});

describe('option properties', () => {
  function holder() {
    const calls: unknown[][] = [];
    const prototype = {
      getOption(name: string) {
        calls.push(['get', name]);
        return 7;
      },
      setOption(name: string, value: unknown) {
        calls.push(['set', name, value]);
      },
    };
    return { calls, prototype };
  }

  it('call getOption and setOption', () => {
    const { calls, prototype } = holder();
    defineOptionProperties(prototype, 'all');
    const socket = Object.create(prototype);
    expect(socket.linger).toBe(7);
    socket.mandatory = true;
    expect(calls).toEqual([
      ['get', 'linger'],
      ['set', 'mandatory', true],
    ]);
    expect(Object.keys(socket)).toEqual([]);
  });

  it('are those of the type only, when a type is given', () => {
    const { prototype } = holder();
    defineOptionProperties(prototype, 'PULL');
    expect(prototype).toHaveProperty('receiveTimeout');
    expect(prototype).not.toHaveProperty('sendTimeout');
    expect(prototype).not.toHaveProperty('mandatory');
  });

  it('leave alone what the class has or what is no property', () => {
    const { prototype } = holder();
    const withOwn = Object.assign(prototype, { linger: 'own' });
    defineOptionProperties(withOwn, 'all');
    expect(withOwn.linger).toBe('own');
    for (const name of ['subscribe', 'events', 'fd', 'type']) {
      expect(withOwn).not.toHaveProperty(name);
    }
  });

  it('exist for contexts too', () => {
    const { prototype } = holder();
    defineOptionProperties(prototype, 'context');
    expect(prototype).toHaveProperty('ioThreads');
    expect(prototype).not.toHaveProperty('linger');
  });
});

describe('constructor options', () => {
  it('become settings, in their order, without what is undefined or no option of libzmq', () => {
    const options = {
      prefetch: 5,
      context: {},
      dedicatedWorker: true,
      rcvhwm: 10,
      linger: undefined,
      ipv6: true,
    };
    expect(socketSettings('PULL', options).map(({ entry, value }) => [entry.name, value])).toEqual([
      ['receiveHighWaterMark', 10],
      ['ipv6', true],
    ]);
    expect(contextSettings({ ioWorkers: 2, ioThreads: 3 }).map(({ entry }) => entry.name)).toEqual([
      'ioThreads',
    ]);
    expect(socketSettings('PULL', undefined)).toEqual([]);
  });

  it('are refused where the type does not have them, nobody has them, or they are read-only', () => {
    expect(() => socketSettings('PULL', { subscribe: 'topic' })).toThrow(/'subscribe'.*PULL/);
    expect(() => socketSettings('PULL', { mandatory: true })).toThrow(
      expect.objectContaining({ code: 'ENOTSUP' }),
    );
    expect(messageOf(() => socketSettings('PULL', { recieveTimeout: 1 }))).toContain(
      "mean 'receiveTimeout'?",
    );
    expect(messageOf(() => socketSettings('PULL', { securityMechanism: 'curve' }))).toContain('is read-only');
  });

  it.each([null, 5, 'PULL', [], () => {}])('have to be an object, not %s', (options) => {
    expect(messageOf(() => socketSettings('PULL', options))).toMatch(/^options: expected an object, got /);
  });
});

describe('socket types', () => {
  it('are found by name, old names included, and by number', () => {
    expect(socketTypeOf('PULL')).toMatchObject({ name: 'PULL', id: 7, canSend: false, canReceive: true });
    expect(socketTypeOf('XREQ').name).toBe('DEALER');
    expect(socketTypeOf('XREP').name).toBe('ROUTER');
    expect(socketTypeOf('UPSTREAM').name).toBe('PULL');
    expect(socketTypeOf('DOWNSTREAM').name).toBe('PUSH');
    expect(socketTypeOfId(8)?.name).toBe('PUSH');
    expect(socketTypeOfId(99)).toBeUndefined();
  });

  it('are refused under any other name', () => {
    expect(messageOf(() => socketTypeOf('pull'))).toContain("did you mean 'PULL'?");
    expect(messageOf(() => socketTypeOf('ZMQ_REP'))).toContain("did you mean 'REP'?");
    for (const name of ['NOPE', '', 'constructor', '__proto__', 7, null, undefined, {}]) {
      expect(messageOf(() => socketTypeOf(name))).toMatch(/^type: expected one of PAIR, PUB, .*, got /);
    }
  });

  it('that can fail a send with EAGAIN only are PUSH, DEALER and PAIR', () => {
    const names = SOCKET_OPTION_ENTRIES.find(({ name }) => name === 'sendTimeout')!
      .sockets as readonly string[];
    const only = names.filter((name) => socketTypeOf(name).failsOnlyWithEagain);
    expect(only.toSorted()).toEqual(['DEALER', 'PAIR', 'PUSH']);
  });
});
