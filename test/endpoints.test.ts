/** bind, connect, unbind, disconnect, and what lastEndpoint says. */
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';

import { ArgumentError, Pull, Push, Socket, SocketClosedError, ZmqError } from 'zeromq-threads';

import { within } from './bounded.js';
import { linked, ofTest } from './linked.js';
import { endpoints } from './peers/index.js';

function errorOf(run: () => unknown): ZmqError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ZmqError);
    return error as ZmqError;
  }
  throw new Error('expected an error, nothing was thrown');
}

/** A message from one end to the other shows that they are connected. */
async function carries(push: Push, pull: Pull, text: string): Promise<void> {
  await within(`sending '${text}'`, push.send(text));
  expect(await within(`receiving '${text}'`, pull.recv('utf8'))).toBe(text);
}

describe('bind', () => {
  it('returns the endpoint with the wildcard port filled in', async () => {
    const pull = ofTest(new Pull());
    const endpoint = pull.bind('tcp://127.0.0.1:*');
    expect(endpoint).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
    expect(pull.lastEndpoint).toBe(endpoint);
    const push = ofTest(new Push());
    push.connect(endpoint);
    await carries(push, pull, 'over tcp');
  });

  it('takes port 0 as a wildcard too', () => {
    expect(ofTest(new Pull()).bind('tcp://127.0.0.1:0')).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
  });

  it('takes a wildcard address', async () => {
    const pull = ofTest(new Pull());
    const endpoint = pull.bind('tcp://*:*');
    expect(endpoint).toMatch(/^tcp:\/\/0\.0\.0\.0:[1-9]\d*$/);
    const push = ofTest(new Push());
    push.connect(endpoint.replace('0.0.0.0', '127.0.0.1'));
    await carries(push, pull, 'over any address');
  });

  it('takes ipc://* and says which file it made', async () => {
    // libzmq makes it in the folder that TMPDIR names, or in the current one.
    const [pull, push, endpoint] = linked(new Pull(), new Push(), 'ipc://*');
    expect(endpoint).toMatch(/^ipc:\/\/.*\/socket$/);
    expect(existsSync(endpoint.slice('ipc://'.length))).toBe(true);
    await carries(push, pull, 'over a made-up ipc file');
  });

  it('takes ipc with a path', async () => {
    const path = endpoints.ipc();
    const [pull, push, endpoint] = linked(new Pull(), new Push(), path);
    expect(endpoint).toBe(path);
    await carries(push, pull, 'over ipc');
  });

  it('takes inproc, and returns it as it is', async () => {
    const name = endpoints.inproc();
    const [pull, push, endpoint] = linked(new Pull(), new Push(), name);
    expect(endpoint).toBe(name);
    await carries(push, pull, 'over inproc');
  });

  it('takes an inproc name of any length', async () => {
    const name = `inproc://${'n'.repeat(5000)}`;
    const [pull, push, endpoint] = linked(new Pull(), new Push(), name);
    expect(endpoint).toBe(name);
    expect(pull.lastEndpoint).toBe(name);
    await carries(push, pull, 'over a long name');
  });

  it('takes several endpoints, and lastEndpoint is the last of them', async () => {
    const pull = ofTest(new Pull());
    const bound = [pull.bind(endpoints.tcp()), pull.bind(endpoints.tcp()), pull.bind(endpoints.inproc())];
    expect(new Set(bound).size).toBe(3);
    expect(pull.lastEndpoint).toBe(bound[2]);
    for (const endpoint of bound) {
      const push = ofTest(new Push());
      push.connect(endpoint);
      await carries(push, pull, `through ${endpoint}`);
    }
  });

  it('is done when it returns, and may be awaited all the same', async () => {
    const pull = ofTest(new Pull());
    const endpoint = await pull.bind(endpoints.tcp());
    expect(endpoint).toBe(pull.lastEndpoint);
    const push = ofTest(new Push());
    await push.connect(endpoint);
    await carries(push, pull, 'after awaiting');
    await push.disconnect(endpoint);
    await pull.unbind(endpoint);
  });

  it('throws EADDRINUSE at once for a port that is taken', async () => {
    const pull = ofTest(new Pull());
    const endpoint = pull.bind(endpoints.tcp());
    const other = ofTest(new Pull());
    const error = errorOf(() => other.bind(endpoint));
    expect(error.code).toBe('EADDRINUSE');
    expect(error.message).toBe(`Cannot bind to ${endpoint}: Address already in use (EADDRINUSE)`);
    expect(error.errno).toBeGreaterThan(0);
    other.bind(endpoints.tcp()); // it still works
    const push = ofTest(new Push());
    push.connect(other.lastEndpoint!);
    await carries(push, other, 'after EADDRINUSE');
  });

  it('throws EADDRINUSE for a port that something else has', async () => {
    const server = createServer();
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    expect(errorOf(() => ofTest(new Pull()).bind(`tcp://127.0.0.1:${port}`)).code).toBe('EADDRINUSE');
  });

  it('says what it takes where a host name gives ENODEV', () => {
    const error = errorOf(() => ofTest(new Pull()).bind('tcp://no-interface.invalid:*'));
    expect(error.code).toBe('ENODEV');
    expect(error.message).toMatch(
      /: expected an address of this machine .* an interface's name, or \* \(ENODEV\)$/,
    );
  });

  it('throws EADDRINUSE for an inproc name that is taken', () => {
    const name = endpoints.inproc();
    ofTest(new Pull()).bind(name);
    expect(errorOf(() => ofTest(new Pull()).bind(name)).code).toBe('EADDRINUSE');
  });

  it.each([
    ['nonsense', 'EINVAL'],
    ['tcp://', 'EINVAL'],
    ['tcp://127.0.0.1', 'EINVAL'],
    ['tcp://127.0.0.1:99999', 'EINVAL'],
    ['tcp://127.0.0.1:-1', 'EINVAL'],
    ['tcp://no-such-interface:5555', 'ENODEV'],
    ['carrier-pigeon://coop:1', 'EPROTONOSUPPORT'],
    ['pgm://127.0.0.1:5555', 'ENOCOMPATPROTO'],
    ['ipc:///no/such/folder/socket', 'ENOENT'],
  ])('throws for %s', (endpoint, code) => {
    const pull = ofTest(new Pull());
    const error = errorOf(() => pull.bind(endpoint));
    expect([code, 'EINVAL', 'EPROTONOSUPPORT']).toContain(error.code);
    if (!endpoint.startsWith('pgm')) expect(error.code).toBe(code);
    expect(error.message).toContain(`Cannot bind to ${endpoint}: `);
    expect(error.message).toContain(`(${error.code})`);
    expect(pull.bind(endpoints.tcp())).toMatch(/^tcp:/);
  });

  it('does not print all of an endpoint that is absurdly long', () => {
    const error = errorOf(() => ofTest(new Pull()).bind(`tcp://${'x'.repeat(50_000)}:1`));
    expect(error.message.length).toBeLessThan(1000);
    const huge = `inproc://${'x'.repeat(100_000)}`;
    expect(() => ofTest(new Pull()).bind(huge)).toThrow(ArgumentError);
    expect(() => ofTest(new Pull()).bind(huge)).toThrow('endpoint: expected at most 65535 bytes, got 100009');
  });
});

describe('connect', () => {
  it('returns nothing and does not wait for the peer', async () => {
    const endpoint = await endpoints.unboundTcp();
    const push = ofTest(new Push());
    expect(push.connect(endpoint)).toBe(undefined);
    expect(push.lastEndpoint).toBe(endpoint);
    const pull = ofTest(new Pull());
    pull.bind(endpoint);
    await carries(push, pull, 'connected first, bound second');
  });

  it('finds an inproc peer that binds later', async () => {
    const name = endpoints.inproc();
    const push = ofTest(new Push());
    push.connect(name);
    const pull = ofTest(new Pull());
    pull.bind(name);
    await carries(push, pull, 'inproc, bound second');
  });

  it.each([
    ['nonsense', 'EINVAL'],
    ['tcp://127.0.0.1', 'EINVAL'],
    ['tcp://127.0.0.1:65536', 'EINVAL'],
    ['carrier-pigeon://coop:1', 'EPROTONOSUPPORT'],
  ])('throws at once for %s', (endpoint, code) => {
    const push = ofTest(new Push());
    const error = errorOf(() => push.connect(endpoint));
    expect(error.code).toBe(code);
    expect(error.message).toContain(`Cannot connect to ${endpoint}: `);
    expect(push.closed).toBe(false);
  });

  it('connects to several peers, and sends to them in turn', async () => {
    const push = ofTest(new Push());
    const pulls = [ofTest(new Pull()), ofTest(new Pull())];
    for (const pull of pulls) push.connect(pull.bind(endpoints.inproc()));
    await push.send('one');
    await push.send('two');
    const received = await Promise.all(
      pulls.map((pull, index) => within(`peer ${index} gets one`, pull.recv('utf8'))),
    );
    expect(received.sort()).toEqual(['one', 'two']);
  });
});

describe('an endpoint that failed', () => {
  it('is the address of the error', () => {
    const pull = ofTest(new Pull());
    const taken = pull.bind(endpoints.tcp());
    const other = ofTest(new Pull());
    expect(errorOf(() => other.bind(taken)).address).toBe(taken);
    for (const method of ['bind', 'connect', 'unbind', 'disconnect'] as const) {
      for (const endpoint of ['nothing', 'tcp://127.0.0.1:70000', `no://${'x'.repeat(1000)}`])
        expect(errorOf(() => other[method](endpoint)).address, method).toBe(endpoint);
    }
    expect('address' in errorOf(() => new Socket('PULL').trySend('x'))).toBe(false);
  });
});

describe('unbind and disconnect', () => {
  it.each([
    ['tcp', endpoints.tcp],
    ['ipc', endpoints.ipc],
    ['inproc', endpoints.inproc],
  ] as const)('a %s endpoint is free once unbind has returned', async (_, endpoint) => {
    const [pull, push, resolved] = linked(new Pull(), new Push(), endpoint());
    await carries(push, pull, 'before unbind');
    // libzmq closes the listener in its I/O thread: most rounds come before it does.
    for (let round = 0; round < 20; round += 1) {
      expect(pull.unbind(resolved)).toBe(undefined);
      expect(pull.bind(resolved)).toBe(resolved);
    }
    pull.unbind(resolved);
    const other = ofTest(new Pull());
    expect(other.bind(resolved)).toBe(resolved);
    const another = ofTest(new Push());
    another.connect(resolved);
    await carries(another, other, 'to the new one');
  });

  it.each(['tcp://127.0.0.1:*', 'tcp://*:*'])('unbind takes %s as bind did, the last first', (given) => {
    const pull = ofTest(new Pull());
    const bound = [pull.bind(given), pull.bind(given), pull.bind(given)];
    const other = ofTest(new Pull());
    pull.unbind(bound[1]!);
    expect(other.bind(bound[1]!)).toBe(bound[1]);
    pull.unbind(given);
    expect(other.bind(bound[2]!)).toBe(bound[2]);
    pull.unbind(given);
    expect(other.bind(bound[0]!)).toBe(bound[0]);
    expect(errorOf(() => pull.unbind(given))).toMatchObject({ code: 'ENOENT', address: given });
  });

  it('unbind takes a wildcard address with a port as bind did', async () => {
    const pull = ofTest(new Pull());
    const port = (await endpoints.unboundTcp()).split(':').at(-1);
    for (let round = 0; round < 3; round += 1) {
      expect(pull.bind(`tcp://*:${port}`)).toBe(`tcp://0.0.0.0:${port}`);
      pull.unbind(`tcp://*:${port}`);
    }
  });

  it('a port is free once close has returned, on all interfaces, too', () => {
    const first = new Pull();
    const port = first.bind('tcp://127.0.0.1:*').split(':').at(-1);
    first.close();
    for (let round = 0; round < 20; round += 1) {
      const socket = ofTest(new Pull());
      socket.bind(`tcp://${['127.0.0.1', '*'][round % 2]}:${port}`);
      socket.close();
    }
  });

  it('an endpoint that was taken again meanwhile is in use', () => {
    const pull = ofTest(new Pull());
    const endpoint = pull.bind(endpoints.tcp());
    pull.unbind(endpoint);
    pull.bind(endpoint);
    expect(errorOf(() => ofTest(new Pull()).bind(endpoint)).code).toBe('EADDRINUSE');
  });

  it.each([
    ['tcp', endpoints.tcp],
    ['ipc', endpoints.ipc],
    ['inproc', endpoints.inproc],
  ] as const)(
    'disconnect ends a %s connection, and connecting again makes a new one',
    async (_, endpoint) => {
      const [pull, push, resolved] = linked(new Pull(), new Push(), endpoint());
      await carries(push, pull, 'before');
      expect(push.disconnect(resolved)).toBe(undefined);
      expect(push.trySend('to nobody')).toBe(false);
      push.connect(resolved);
      await carries(push, pull, 'after');
    },
  );

  it('throw ENOENT for an endpoint that was never bound or connected', async () => {
    const pull = ofTest(new Pull());
    const endpoint = await endpoints.unboundTcp();
    const unbind = errorOf(() => pull.unbind(endpoint));
    expect(unbind.code).toBe('ENOENT');
    expect(unbind.message).toContain(`Cannot unbind from ${endpoint}: `);
    const disconnect = errorOf(() => pull.disconnect(endpoint));
    expect(disconnect.code).toBe('ENOENT');
    expect(disconnect.message).toContain(`Cannot disconnect from ${endpoint}: `);
  });

  it('throw ENOENT the second time', () => {
    const pull = ofTest(new Pull());
    const endpoint = pull.bind(endpoints.tcp());
    pull.unbind(endpoint);
    expect(errorOf(() => pull.unbind(endpoint)).code).toBe('ENOENT');
  });
});

describe('a closed socket', () => {
  it.each(['bind', 'connect', 'unbind', 'disconnect'] as const)('%s throws SocketClosedError', (method) => {
    const socket = new Socket('PULL');
    socket.close();
    const error = errorOf(() => socket[method](endpoints.tcp()));
    expect(error).toBeInstanceOf(SocketClosedError);
    expect(error.code).toBe('ENOTSOCK');
  });
});
