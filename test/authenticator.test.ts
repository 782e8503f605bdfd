/** Authenticator: who is let in, and what becomes of requests that are none, are late, or are too many. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ArgumentError,
  Authenticator,
  Context,
  curveKeyPair,
  Dealer,
  Pull,
  Push,
  SocketClosedError,
  ZmqError,
} from 'zeromq-threads';

import {
  authenticated,
  CURVE_SERVER,
  curveClient,
  nextEvent,
  outcomeOf,
  PLAIN_SERVER,
  pulling,
  pushing,
} from './authenticating.js';
import { within } from './bounded.js';
import { ofTest } from './linked.js';
import { endpoints, runNode } from './peers/index.js';

const ALICE = curveKeyPair();
const MALLORY = curveKeyPair();

describe('an Authenticator', () => {
  it('is the only one of its context', () => {
    const { context } = authenticated();
    expect(() => new Authenticator(context)).toThrow(ZmqError);
    expect(() => new Authenticator({ context })).toThrow(/has a ZAP handler already.*EADDRINUSE/);
    expect(authenticated().authenticator.closed, 'another context may have its own').toBe(false);
  });

  it('can be followed by another once it is closed, and then says so itself', async () => {
    const { context, authenticator } = authenticated();
    await Promise.all([authenticator.close(), authenticator.close()]);
    expect(authenticator.closed).toBe(true);
    expect(() => authenticator.allow('127.0.0.1')).toThrow(SocketClosedError);
    await expect(authenticator.configureCurve({ keys: 'any' })).rejects.toThrow(SocketClosedError);
    const next = new Authenticator(context);
    await next.close();
  });

  it('ends with its context', async () => {
    const { context, authenticator } = authenticated();
    const events = (async () => {
      for await (const event of authenticator.events) return event;
      return 'the end';
    })();
    await within('the context closes', context.close());
    expect(authenticator.closed).toBe(true);
    expect(await within('a loop over its events ends', events)).toBe('the end');
    await within('closing it afterwards', authenticator.close());
  });

  it('does not keep the process, whatever it has done', async () => {
    const { code, stdout, stderr } = await runNode(`
      import { Authenticator, Pull, Push } from 'zeromq-threads';
      const authenticator = new Authenticator();
      authenticator.events.on('accepted', () => {});
      await authenticator.configurePlain({ verify: () => true });
      const pull = new Pull({ plainServer: true, zapDomain: 'x' });
      const push = new Push({ plainUsername: 'a', plainPassword: 'b' });
      push.connect(pull.bind('tcp://127.0.0.1:*'));
      await push.send('hello');
      console.log(String(await pull.recv()));`);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'hello\n', stderr: '' });
  });

  it.each([
    ['a domain that is none', { domain: '', keys: 'any' }],
    ['nothing to go by', {}],
    ['two things to go by', { keys: 'any', verify: () => true }],
    ['a key that is none', { keys: ['x'] }],
    ['one key outside a list', { keys: ALICE.publicKey }],
    ['a function that is none', { verify: true }],
    ['a path that is none', { directory: 5 }],
    ['a domain that is misspelt, and would be all', { domian: 'x', keys: 'any' }],
  ])('refuses to be configured with %s', async (_what, options) => {
    const { authenticator } = authenticated();
    await expect(authenticator.configureCurve(options as never)).rejects.toThrow(ArgumentError);
  });

  it('never shows a password', async () => {
    const { authenticator } = authenticated();
    for (const passwords of ['secret', ['secret'], { admin: 5 }]) {
      const refused = authenticator.configurePlain({ passwords } as never);
      await expect(refused).rejects.toThrow(ArgumentError);
      await expect(refused).rejects.not.toThrow(/secret|5/);
    }
  });

  it('checks its limits and addresses', () => {
    for (const options of [
      { callbackTimeout: 0 },
      { callbackTimeout: '1' },
      { maxPending: 0 },
      { context: 5 },
      { verify: () => false },
    ]) {
      expect(() => new Authenticator(options as never)).toThrow(ArgumentError);
    }
    const { authenticator } = authenticated();
    for (const entry of [
      '',
      'localhost',
      '127.0.0.1/33',
      '127.0.0.1/',
      '::1/129',
      '1.2.3.4/8/8',
      '1.2.3',
      5,
    ]) {
      expect(() => authenticator.deny(entry as never), String(entry)).toThrow(ArgumentError);
    }
    expect(() => (authenticator.allow as () => void)()).toThrow(ArgumentError);
    for (const method of ['allow', 'deny'] as const) {
      expect(() => authenticator[method]('127.0.0.1', { zapDomain: 'x' } as never)).toThrow(
        "options: expected only domain, got 'zapDomain'",
      );
    }
  });
});

describe('addresses', () => {
  const NULL_SERVER = { zapDomain: 'test', linger: 0 } as const;

  it.each([
    ['allowed', ['127.0.0.1'], [], 'accepted'],
    ['allowed as a range', ['127.0.0.0/8'], [], 'accepted'],
    ['not among the allowed', ['10.0.0.0/8', '::1'], [], 'denied'],
    ['denied', [], ['127.0.0.1'], 'denied'],
    ['denied as a range', [], ['10.0.0.0/8', '127.0.0.0/30'], 'denied'],
    ['not among the denied', [], ['192.0.2.1'], 'accepted'],
    ['allowed and denied', ['127.0.0.0/8'], ['127.0.0.1'], 'denied'],
    ['in no list', [], [], 'accepted'],
  ])('that are %s', async (_what, allowed, denied, outcome) => {
    const { context, authenticator } = authenticated();
    if (allowed.length > 0) authenticator.allow(...(allowed as [string]));
    if (denied.length > 0) authenticator.deny(...(denied as [string]));
    const [, endpoint] = pulling(context, NULL_SERVER);
    expect(await outcomeOf(authenticator, endpoint, {})).toMatchObject({
      type: outcome,
      address: '127.0.0.1',
      mechanism: 'NULL',
      domain: 'test',
    });
  });

  it('are told apart for IPv4 over IPv6 sockets', async () => {
    const { context, authenticator } = authenticated();
    authenticator.deny('127.0.0.0/8');
    const [pull, endpoint] = pulling(context, { ...NULL_SERVER, ipv6: true }, 'tcp://*:*');
    const port = /\d+$/.exec(endpoint)?.[0];
    expect(await outcomeOf(authenticator, `tcp://127.0.0.1:${port}`, {})).toMatchObject({ type: 'denied' });
    pull.close();
  });

  it('that ipc peers lack are named ipc', async () => {
    const { context, authenticator } = authenticated();
    const [, endpoint] = pulling(context, NULL_SERVER, endpoints.ipc());
    expect((await outcomeOf(authenticator, endpoint, {})).type).toBe('accepted');
    authenticator.allow('127.0.0.1');
    expect((await outcomeOf(authenticator, endpoint, {})).type).toBe('denied');
    authenticator.allow('ipc');
    expect((await outcomeOf(authenticator, endpoint, {})).type).toBe('accepted');
  });

  it('can be listed for one domain', async () => {
    const { context, authenticator } = authenticated();
    authenticator.deny('127.0.0.1', { domain: 'other' });
    const [, here] = pulling(context, NULL_SERVER);
    const [, there] = pulling(context, { ...NULL_SERVER, zapDomain: 'other' });
    expect((await outcomeOf(authenticator, here, {})).type).toBe('accepted');
    expect((await outcomeOf(authenticator, there, {})).type).toBe('denied');
  });

  it('come before credentials', async () => {
    const { context, authenticator } = authenticated();
    authenticator.deny('127.0.0.1');
    await authenticator.configurePlain({ passwords: { admin: 'secret' } });
    const [, endpoint] = pulling(context, PLAIN_SERVER);
    const denied = await outcomeOf(authenticator, endpoint, {
      plainUsername: 'admin',
      plainPassword: 'secret',
    });
    expect(denied).toMatchObject({ type: 'denied', status: 400, reason: 'Address is denied' });
  });
});

describe('PLAIN', () => {
  it.each([
    ['the right password', 'admin', 'secret', 'accepted'],
    ['a wrong password', 'admin', 'Secret', 'denied'],
    ['a password that only begins well', 'admin', 'secret ', 'denied'],
    ['an unknown user', 'root', 'secret', 'denied'],
    ['the name of something that every object has', 'constructor', 'x', 'denied'],
  ])('with %s', async (_what, plainUsername, plainPassword, outcome) => {
    const { context, authenticator } = authenticated();
    await authenticator.configurePlain({ passwords: new Map([['admin', 'secret']]) });
    const [, endpoint] = pulling(context, PLAIN_SERVER);
    expect(await outcomeOf(authenticator, endpoint, { plainUsername, plainPassword })).toMatchObject({
      type: outcome,
      mechanism: 'PLAIN',
    });
  });

  it('refuses all until it is configured, and those of domains that have users of their own', async () => {
    const { context, authenticator } = authenticated();
    const client = { plainUsername: 'admin', plainPassword: 'secret' };
    const [, endpoint] = pulling(context, PLAIN_SERVER);
    expect(await outcomeOf(authenticator, endpoint, client)).toMatchObject({
      status: 400,
      reason: 'No users for this domain',
      username: 'admin',
    });
    await authenticator.configurePlain({ passwords: { admin: 'secret' } });
    expect((await outcomeOf(authenticator, endpoint, client)).type).toBe('accepted');
    await authenticator.configurePlain({ domain: 'test', passwords: { other: 'secret' } });
    expect((await outcomeOf(authenticator, endpoint, client)).type).toBe('denied');
  });
});

describe('a PLAIN server with zapEnforceDomain', () => {
  it('needs a domain, which libzmq would end the process for', () => {
    const server = ofTest(new Pull({ plainServer: true, zapEnforceDomain: true }));
    expect(() => server.bind('tcp://127.0.0.1:*')).toThrow(ArgumentError);
    expect(() => server.connect('tcp://127.0.0.1:1')).toThrow(/zapDomain: expected a domain/);
    server.zapDomain = 'test';
    server.bind('tcp://127.0.0.1:*');
  });

  it.each([
    ['CURVE', CURVE_SERVER, curveClient(ALICE)],
    ['PLAIN', PLAIN_SERVER, { plainUsername: 'a', plainPassword: 'b' }],
  ])('lets in nobody where there is no Authenticator: %s', async (_what, server, client) => {
    const context = new Context();
    onTestFinished(() => context.close());
    const [pull, endpoint] = pulling(context, server);
    const failed = new Promise((resolve) => pull.events.once('handshake:error:other', resolve));
    pushing(context, endpoint, client);
    expect(await within('the handshake fails', failed)).toMatchObject({ code: 'EFAULT' });
    expect(pull.peers.handshakes).toBe(0);
  });
});

describe('CURVE', () => {
  it('lets in the keys of a set, in the configuration of the moment', async () => {
    const { context, authenticator } = authenticated();
    const [, endpoint] = pulling(context, CURVE_SERVER);
    const outcome = async (keys = ALICE) =>
      (await outcomeOf(authenticator, endpoint, curveClient(keys))).type;
    expect(await outcome(), 'before anything is configured').toBe('denied');
    await authenticator.configureCurve({ keys: [ALICE.publicKey] });
    expect(await outcome()).toBe('accepted');
    expect(await outcome(MALLORY)).toBe('denied');
    await authenticator.configureCurve({ keys: 'any' });
    expect(await outcome(MALLORY)).toBe('accepted');
    await authenticator.configureCurve({ keys: [] });
    expect(await outcome()).toBe('denied');
    expect(authenticator.stats()).toMatchObject({ accepted: 2, denied: 3, failed: 0, deferred: 0 });
  });

  it('names the peer on what it sends', async () => {
    const { context, authenticator } = authenticated();
    await authenticator.configureCurve({ keys: 'any' });
    const [pull, endpoint] = pulling(context, CURVE_SERVER);
    pushing(context, endpoint, curveClient(ALICE));
    const message = await within('the message', pull.recv());
    expect(message.metadata('User-Id')).toBe(ALICE.publicKey);
  });

  it('puts on messages, small and large, whom a function said that it was, and what else', async () => {
    const { context, authenticator } = authenticated();
    await authenticator.configureCurve({
      verify: async ({ publicKey, address, domain, mechanism }) => {
        expect({ address, domain, mechanism }).toEqual({
          address: '127.0.0.1',
          domain: 'test',
          mechanism: 'CURVE',
        });
        const userId = publicKey === ALICE.publicKey ? 'alice' : 'mallory';
        return { userId, metadata: { Role: `role of ${userId}`, 'x-note': 'ü', Empty: '' } };
      },
    });
    const [pull, endpoint] = pulling(context, CURVE_SERVER);
    for (const [keys, name] of [
      [ALICE, 'alice'],
      [MALLORY, 'mallory'],
    ] as const) {
      const push = ofTest(new Push({ ...curveClient(keys), context }));
      push.connect(endpoint);
      for (const size of [1, 100_000]) {
        await push.send(Buffer.alloc(size));
        const message = await within(`${size} bytes of ${name}`, pull.recv());
        const said = ['User-Id', 'Role', 'x-note', 'Empty', 'Absent'].map((key) => message.metadata(key));
        expect(said).toEqual([name, `role of ${name}`, 'ü', '', undefined]);
      }
    }
  });

  it('lets in nobody without CURVE, with the wrong server key, or with half a key', async () => {
    const { context, authenticator } = authenticated();
    await authenticator.configureCurve({ keys: 'any' });
    const [pull, endpoint] = pulling(context, CURVE_SERVER);
    const reasons = new Map<string, number>();
    const failed = new Promise<void>((resolve) => {
      pull.events.on('handshake:error:protocol', ({ reason }) => {
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        if (reasons.size === 2) resolve();
      });
    });
    pushing(context, endpoint, { linger: 0 });
    pushing(context, endpoint, { plainUsername: 'a', plainPassword: 'b', linger: 0 });
    pushing(context, endpoint, curveClient(ALICE, MALLORY.publicKey));
    pushing(context, endpoint, { ...curveClient(ALICE), curveSecretKey: MALLORY.secretKey });
    await within('their handshakes fail', failed);
    expect([...reasons.keys()].sort()).toEqual(['ZMTP_CRYPTOGRAPHIC', 'ZMTP_MECHANISM_MISMATCH']);
    pushing(context, endpoint, curveClient(ALICE));
    expect((await within('a message of who is let in', pull.recv())).metadata('User-Id')).toBe(
      ALICE.publicKey,
    );
    expect(pull.tryRecv(), 'nothing of the others').toBeUndefined();
    expect(authenticator.stats().accepted).toBe(1);
  });
});

describe('a verify function', () => {
  it.each([
    ['says no', () => false, 400, 'Not verified'],
    ['says nothing', () => {}, 400, 'Not verified'],
    ['throws', () => Promise.reject(new Error('no database')), 500, 'Internal error'],
    ['returns what is no verdict', () => 'yes', 500, 'Internal error'],
    ['gives names that no property has', () => ({ metadata: { 'a b': 'x' } }), 500, 'Internal error'],
    ['gives values that are no text', () => ({ metadata: { a: 5 } }), 500, 'Internal error'],
    ['gives a user id with a NUL in it', () => ({ userId: 'a\0b' }), 500, 'Internal error'],
  ])('that %s lets nobody in', async (_what, verify, status, reason) => {
    const { context, authenticator } = authenticated();
    await authenticator.configurePlain({ verify: verify as never });
    const errors: string[] = [];
    authenticator.events.on('error', ({ error }) => errors.push(error.message));
    const [, endpoint] = pulling(context, PLAIN_SERVER);
    const outcome = await outcomeOf(authenticator, endpoint, { plainUsername: 'a', plainPassword: 'b' });
    expect(outcome).toMatchObject({ type: 'denied', status, reason });
    expect(errors.length).toBe(status === 500 ? 1 : 0);
  });

  it('has its time, is told when it is over, and lets others be decided meanwhile', async () => {
    const { context, authenticator } = authenticated({ callbackTimeout: 50 });
    const aborted = new Promise<unknown>((resolve) => {
      void authenticator.configurePlain({
        verify: ({ signal }) =>
          new Promise(() => signal.addEventListener('abort', () => resolve(signal.reason))),
      });
    });
    await authenticator.configureCurve({ keys: 'any' });
    const [, slow] = pulling(context, PLAIN_SERVER);
    const [pull, fast] = pulling(context, CURVE_SERVER);
    const denied = nextEvent(authenticator, 'denied');
    const late = pushing(context, slow, { plainUsername: 'a', plainPassword: 'b', linger: 0 });
    pushing(context, fast, curveClient(ALICE));
    await within('somebody else is let in', pull.recv());
    expect(await denied).toMatchObject({ status: 300, reason: 'Timeout' });
    late.close(); // it would try again
    await expect(within('the signal', aborted)).resolves.toMatchObject({ name: 'TimeoutError' });
    expect(authenticator.stats().deferred).toBeGreaterThan(0);
  });

  it('is called for so many at a time only', async () => {
    const { context, authenticator } = authenticated({ maxPending: 2 });
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let underWay = 0;
    let most = 0;
    await authenticator.configurePlain({
      verify: async () => {
        underWay += 1;
        most = Math.max(most, underWay);
        await released;
        underWay -= 1;
        return true;
      },
    });
    const [pull, endpoint] = pulling(context, PLAIN_SERVER);
    const deferred = nextEvent(authenticator, 'denied');
    for (let count = 0; count < 5; count += 1) {
      pushing(context, endpoint, {
        plainUsername: 'a',
        plainPassword: 'b',
        reconnectInterval: 20,
        // libzmq leaves those with status 300 waiting until then
        handshakeInterval: 500,
        linger: 0,
      });
    }
    expect(await deferred).toMatchObject({ status: 300, reason: 'Too many requests under way' });
    expect(authenticator.stats().pending).toBe(2);
    release();
    for (let count = 0; count < 5; count += 1) await within(`message ${count} of 5`, pull.recv());
    expect(most).toBe(2);
  });
});

describe('requests', () => {
  const reply = async (context: Context, ...frames: (string | Buffer)[]): Promise<string[]> => {
    const dealer = ofTest(new Dealer({ context, linger: 0 }));
    dealer.connect('inproc://zeromq.zap.01');
    await dealer.send(frames);
    return (await within('the reply', dealer.recvMultipart())).map(String);
  };
  const KEY = Buffer.alloc(32, 1);

  it('that are well formed are answered', async () => {
    const { context } = authenticated();
    const replied = await reply(context, '', '1.0', 'id', 'test', '127.0.0.1', '', 'NULL');
    expect(replied).toEqual(['', '1.0', 'id', '200', 'OK', 'anonymous', '']);
  });

  it.each([
    ['another version', ['', '2.0', 'id', 'test', '127.0.0.1', '', 'NULL'], 'id', 'Invalid version'],
    ['too few frames', ['', '1.0', 'id', 'test'], 'id', 'Not enough frames'],
    ['a version alone', ['', '1.0'], '', 'Not enough frames'],
    ['nothing', [''], '', 'Not enough frames'],
    ['no delimiter', ['1.0', 'id', 'test', '127.0.0.1', '', 'NULL'], 'test', 'No delimiter'],
    [
      'a mechanism that there is not',
      ['', '1.0', 'id', 'd', '::1', '', 'X'],
      'id',
      'Mechanism  is not supported',
    ],
    ['GSSAPI', ['', '1.0', 'id', 'd', '::1', '', 'GSSAPI', 'me'], 'id', 'Mechanism GSSAPI is not supported'],
    ['PLAIN without a password', ['', '1.0', 'id', 'd', '', '', 'PLAIN', 'a'], 'id', 'Invalid credentials'],
    ['a key that is too short', ['', '1.0', 'id', 'd', '', '', 'CURVE', 'a'], 'id', 'Invalid credentials'],
    ['two keys', ['', '1.0', 'id', 'd', '', '', 'CURVE', KEY, KEY], 'id', 'Invalid credentials'],
    [
      'an address that is none',
      ['', '1.0', 'id', 'd', '\xff:%\0', '', 'CURVE', KEY],
      'id',
      'No keys for this domain',
    ],
  ])('with %s are refused, and the next is served', async (_what, frames, id, reason) => {
    const { context } = authenticated();
    const replied = await reply(context, ...frames);
    expect(replied.slice(-5)).toEqual([id, '400', reason, '', '']);
    expect((await reply(context, '', '1.0', 'next', 'd', '', '', 'NULL'))[3]).toBe('200');
  });
});

describe('events', () => {
  it('come to every listener and loop, in order', async () => {
    const { context, authenticator } = authenticated();
    const heard: string[] = [];
    authenticator.events.on('event', ({ type }) => heard.push(type));
    const loop = authenticator.events[Symbol.asyncIterator]();
    const [, endpoint] = pulling(context, { zapDomain: 'test' });
    await outcomeOf(authenticator, endpoint, {});
    authenticator.deny('127.0.0.1');
    await outcomeOf(authenticator, endpoint, {});
    for (const type of ['accepted', 'denied']) {
      expect((await within(`the loop's event`, loop.next())).value).toMatchObject({ type });
    }
    expect(heard).toEqual(['accepted', 'denied']);
    await loop.return?.();
    expect(await loop.next()).toEqual({ done: true, value: undefined });
  });

  it('that nobody reads are dropped and counted', async () => {
    const { context, authenticator } = authenticated();
    const loop = authenticator.events[Symbol.asyncIterator]();
    const dealer = ofTest(new Dealer({ context, linger: 0 }));
    dealer.connect('inproc://zeromq.zap.01');
    for (let count = 0; count < 1500; count += 1) {
      await dealer.send(['', '1.0', `${count}`, 'test', '127.0.0.1', '', 'NULL']);
      await within('the reply', dealer.recvMultipart());
    }
    const { accepted } = authenticator.stats();
    expect(accepted).toBe(1500);
    while (authenticator.stats().eventsDropped < 1500 - 1024) await sleep(1);
    expect(authenticator.stats().eventsDropped).toBe(1500 - 1024);
    expect((await within('the first event', loop.next())).value).toMatchObject({ type: 'accepted' });
  });

  it('refuse listeners and types that are none', () => {
    const { authenticator } = authenticated();
    expect(() => authenticator.events.on('denied', 5 as never)).toThrow(ArgumentError);
    expect(() => authenticator.events.on('deny' as never, () => {})).toThrow(ArgumentError);
  });
});
