/** `send` and `recv` in every pattern of sockets, with peers that are libzmq's own. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCurveKeyFile } from 'zeromq-threads';

import { endOf, folder, run, start, TIMEOUT } from './command-lines.js';
import { endpoints, type PeerOptions, patternMessage, startPeer } from './peers/index.js';

const SIZE = 8;
const numbers = (count: number, first = 0): number[] => Array.from({ length: count }, (_, n) => first + n);
/** Message n as `--format hex` has it. */
const hexOf = (n: number): string => patternMessage(n, [SIZE])[0]!.toString('hex');
const linesOf = (text: string): string[] => text.split('\n').slice(0, -1);
const input = (count: number, first = 0): string =>
  numbers(count, first)
    .map((n) => `${hexOf(n)}\n`)
    .join('');

describe.each(['c', 'python'] as const)('with %s peers', (language) => {
  it('PUB: each subscriber gets its topics', async () => {
    const endpoint = await endpoints.unboundTcp();
    const subscribe = { connect: endpoint, count: 20, size: SIZE };
    const news = await startPeer(language, 'sub', { ...subscribe, topic: 'news' });
    // Those who subscribed to anything else hear nothing, and wait.
    const sport = await startPeer(language, 'sub', { ...subscribe, topic: 'sport' });
    const args = ['send', '-t', 'PUB', '-b', endpoint, '--wait', '2', '--topic', 'news', '-f', 'hex'];
    expect(await run(args, input(20))).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await news.result()).toMatchObject({ received: 20, first: 0, last: 19 });
    expect(sport.process.exit, 'the other still waits').toBeUndefined();
    expect(sport.events).toEqual([]);
  });

  it('SUB: takes its topics, and no others', async () => {
    const publisher = await startPeer(language, 'xpub', {
      bind: endpoints.tcp(),
      count: 30,
      size: SIZE,
      topic: ['news', 'weather', 'sport'],
      subscribers: 2,
      stay: true,
    });
    const topics = ['--topic', 'news', '--topic', 'sport'];
    const reader = start(['recv', '-t', 'SUB', '-c', publisher.endpoint, ...topics, '-n', '20', '-f', 'hex']);
    const { code, stdout, stderr } = await endOf(reader);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const wanted = numbers(30)
      .filter((n) => n % 3 !== 1)
      .map((n) => `${Buffer.from(n % 3 === 0 ? 'news' : 'sport').toString('hex')} ${hexOf(n)}`);
    expect(linesOf(stdout)).toEqual(wanted);
  });

  it('REP answers a REQ with itself, REQ prints the answers of a REP', async () => {
    const endpoint = await endpoints.unboundTcp();
    const service = start(['recv', '-t', 'REP', '-b', endpoint, '--echo', '-n', '25', '-f', 'hex']);
    const client = await startPeer(language, 'request', {
      connect: endpoint,
      count: 25,
      shapes: [[SIZE], [0, 300], [70_000]],
    });
    expect(await client.result()).toMatchObject({ ok: true, received: 25 });
    const { code, stdout } = await endOf(service);
    expect(code).toBe(0);
    expect(linesOf(stdout)).toEqual(
      numbers(25).map((n) =>
        patternMessage(n, [[SIZE], [0, 300], [70_000]][n % 3]!)
          .map((frame) => frame.toString('hex') || '-')
          .join(' '),
      ),
    );

    const server = await startPeer(language, 'echo', { type: 'REP', bind: endpoints.tcp(), count: 25 });
    expect(await run(['send', '-t', 'REQ', '-c', server.endpoint, '-f', 'hex'], input(25))).toEqual({
      code: 0,
      stdout: input(25),
      stderr: '',
    });
    expect(await server.result()).toMatchObject({ ok: true, received: 25 });
  });

  it('PULL: several push to it, and of each the order is kept', async () => {
    const endpoint = await endpoints.unboundTcp();
    const puller = start(['recv', '-b', endpoint, '-n', '90', '-f', 'hex']);
    const firsts = [0, 30, 60];
    const senders = await Promise.all(
      firsts.map((first) => startPeer(language, 'send', { connect: endpoint, first, count: 30, size: SIZE })),
    );
    const { code, stdout } = await endOf(puller);
    expect(code).toBe(0);
    for (const sender of senders) expect((await sender.result()).sent).toBe(30);
    const came = linesOf(stdout);
    expect(came).toHaveLength(90);
    for (const first of firsts) {
      const wanted = numbers(30, first).map(hexOf);
      expect(
        came.filter((line) => wanted.includes(line)),
        `from ${first}`,
      ).toEqual(wanted);
    }
  });

  it('PUSH: spreads over those who pull', async () => {
    const endpoint = await endpoints.unboundTcp();
    const pull = { connect: endpoint, count: 20, any: true } as const;
    const pullers = await Promise.all(numbers(3).map(() => startPeer(language, 'recv', pull)));
    const args = ['send', '-t', 'PUSH', '-b', endpoint, '--wait', '3', '-f', 'hex'];
    expect((await run(args, input(60))).code).toBe(0);
    for (const puller of pullers) expect((await puller.result()).received).toBe(20);
  });

  it('ROUTER answers DEALERs, each with its own', async () => {
    const endpoint = await endpoints.unboundTcp();
    const router = start(['recv', '-t', 'ROUTER', '-b', endpoint, '--echo', '-n', '80', '-f', 'hex']);
    const dealers = await Promise.all(
      ['one', 'two'].map((identity) =>
        startPeer(language, 'request', {
          type: 'DEALER',
          connect: endpoint,
          identity,
          count: 40,
          size: SIZE,
          window: 10,
        }),
      ),
    );
    for (const dealer of dealers) expect(await dealer.result()).toMatchObject({ ok: true, received: 40 });
    const { code, stdout } = await endOf(router);
    expect(code).toBe(0);
    for (const identity of ['one', 'two']) {
      const id = Buffer.from(identity).toString('hex');
      const own = linesOf(stdout).filter((line) => line.startsWith(`${id} `));
      expect(own, identity).toEqual(numbers(40).map((n) => `${id} ${hexOf(n)}`));
    }
  });

  it('ROUTER sends to whom it is told, DEALER prints what a ROUTER answers', async () => {
    const endpoint = await endpoints.unboundTcp();
    const named = (identity: string, count: number): PeerOptions => ({
      type: 'DEALER',
      connect: endpoint,
      identity,
      count,
      size: SIZE,
    });
    const wanted = await startPeer(language, 'recv', named('wanted', 15));
    const other = await startPeer(language, 'recv', named('other', 15));
    const args = ['send', '-t', 'ROUTER', '-b', endpoint, '--wait', '2', '--to', 'wanted', '-f', 'hex'];
    expect(await run(args, input(15))).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await wanted.result()).received).toBe(15);
    expect(other.process.exit, 'the other still waits').toBeUndefined();

    const router = await startPeer(language, 'echo', { type: 'ROUTER', bind: endpoints.tcp(), count: 15 });
    const dealer = ['send', '-t', 'DEALER', '-c', router.endpoint, '--reply', '-f', 'hex'];
    expect(await run(dealer, input(15))).toEqual({ code: 0, stdout: input(15), stderr: '' });
  });

  it('PAIR over ipc, both ways', async () => {
    const receiver = await startPeer(language, 'recv', {
      type: 'PAIR',
      bind: endpoints.ipc(),
      count: 50,
      size: SIZE,
    });
    expect((await run(['send', '-t', 'PAIR', '-c', receiver.endpoint, '-f', 'hex'], input(50))).code).toBe(0);
    expect((await receiver.result()).received).toBe(50);

    const endpoint = endpoints.ipc();
    const reader = start(['recv', '-t', 'PAIR', '-b', endpoint, '-n', '50', '-f', 'hex']);
    const sender = await startPeer(language, 'send', {
      type: 'PAIR',
      connect: endpoint,
      count: 50,
      size: SIZE,
    });
    expect(await endOf(reader)).toEqual({ code: 0, stdout: input(50), stderr: '' });
    expect((await sender.result()).sent).toBe(50);
  });

  it('CURVE by key files: whom the server allows gets through, and others do not', async () => {
    const path = folder();
    const file = (name: string): string => join(path, name);
    const names = ['server', 'allowed', 'stranger'] as const;
    for (const name of names) expect((await run(['keygen', '--output', file(name)])).code).toBe(0);
    const keys = await Promise.all(names.map((name) => readCurveKeyFile(file(`${name}.key_secret`))));
    const [server, allowed, stranger] = keys.map(({ publicKey, secretKey }) => ({
      CURVE_PUBLICKEY: publicKey,
      CURVE_SECRETKEY: secretKey!,
    })) as [Keys, Keys, Keys];
    const serverKey = { CURVE_SERVERKEY: server.CURVE_PUBLICKEY };

    const endpoint = await endpoints.unboundTcp();
    const security = ['--curve-server', '--curve-keys', file('server.key_secret')];
    const reader = start([
      'recv',
      '-b',
      endpoint,
      ...security,
      '--curve-allow',
      file('allowed.key'),
      '-n',
      '20',
      '-f',
      'hex',
    ]);
    const send = { connect: endpoint, count: 20, size: SIZE };
    await startPeer(language, 'send', { ...send, set: { ...serverKey, ...stranger } });
    await reader.waitFor('it tells of the stranger', TIMEOUT, ({ stderr }) =>
      stderr.includes('refused 127.0.0.1') ? true : undefined,
    );
    const other = ['--curve-server-key', file('server.key'), '--curve-keys', file('stranger.key_secret')];
    expect(await run(['send', '-c', endpoint, ...other, 'hello'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('failed: authentication failure; what has not left is lost'),
    });
    const sender = await startPeer(language, 'send', {
      ...send,
      first: 500,
      set: { ...serverKey, ...allowed },
    });
    expect(await endOf(reader)).toMatchObject({ code: 0, stdout: input(20, 500) });
    expect((await sender.result()).sent).toBe(20);

    const receiver = await startPeer(language, 'recv', {
      bind: endpoints.tcp(),
      count: 20,
      size: SIZE,
      set: { CURVE_SERVER: 1, ...server },
    });
    const client = ['--curve-server-key', file('server.key'), '--curve-keys', file('allowed.key_secret')];
    expect((await run(['send', '-c', receiver.endpoint, ...client, '-f', 'hex'], input(20))).code).toBe(0);
    expect((await receiver.result()).received).toBe(20);
  });
});

interface Keys {
  CURVE_PUBLICKEY: string;
  CURVE_SECRETKEY: string;
}
