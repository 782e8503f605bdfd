/** Servers of every type under attack, and honest peers that must not notice. Short and long runs share this. */
import { describe, expect, it } from 'vitest';
import type { SocketTypeName } from 'zeromq-threads';

import { Peer, type PeerOptions, type PeerRole, startNode, startPeer } from '../peers/index.js';
import { Random } from '../random.js';
import { type Attack, attacks, OLD_MESSAGE } from './attacks.js';
import {
  Attacked,
  CLIENT_OPTIONS,
  digest,
  HONEST_SIZE,
  PATIENCE,
  PEER_OPTIONS,
  Strangers,
} from './processes.js';
import type { Mechanism } from './zmtp.js';

const MAX_MESSAGE_SIZE = 100_000;

/** A type of server: what an honest peer does, and as what a stranger comes. */
interface Serving {
  readonly type: SocketTypeName;
  /**
   * A peer of test/peers, or one that asks again: libzmq's REP answers nobody the next time when who sent a request
   * without an envelope was gone before it was read.
   */
  readonly role: PeerRole | 'persistent';
  readonly peer: PeerOptions['type'];
  readonly stranger: string;
}

export const SERVED: readonly Serving[] = [
  { type: 'PULL', role: 'send', peer: 'PUSH', stranger: 'PUSH' },
  { type: 'DEALER', role: 'send', peer: 'DEALER', stranger: 'DEALER' },
  { type: 'PAIR', role: 'send', peer: 'PAIR', stranger: 'PAIR' },
  { type: 'ROUTER', role: 'request', peer: 'DEALER', stranger: 'DEALER' },
  { type: 'REP', role: 'persistent', peer: 'REQ', stranger: 'REQ' },
  { type: 'SUB', role: 'xpub', peer: 'XPUB', stranger: 'PUB' },
  { type: 'PUB', role: 'sub', peer: 'SUB', stranger: 'SUB' },
  { type: 'XPUB', role: 'sub', peer: 'SUB', stranger: 'SUB' },
  { type: 'STREAM', role: 'stream', peer: 'STREAM', stranger: 'DEALER' },
];

async function persistentPeer(
  endpoint: string,
  mechanism: Mechanism,
  count: number,
  first: number,
): Promise<Peer> {
  const settings = { endpoint, first, count, size: HONEST_SIZE, options: CLIENT_OPTIONS[mechanism] };
  const script = new URL('../workloads/persistent-requests.mjs', import.meta.url);
  const child = startNode(script, [JSON.stringify(settings)], { step: 'a peer that asks again' });
  await child.waitFor('it is connected', PATIENCE, ({ lines }) => lines[0]);
  return new Peer(child, endpoint, PATIENCE);
}

/** An honest peer, connected, that waits for `go`. */
async function honestPeer(
  serving: Serving,
  mechanism: Mechanism,
  server: Attacked,
  count: number,
  first: number,
): Promise<Peer> {
  const { role, peer } = serving;
  const handshakes = (await server.report()).peers.handshakes;
  const started =
    role === 'persistent'
      ? await persistentPeer(server.endpoint, mechanism, count, first)
      : await startPeer('c', role, {
          type: peer,
          connect: server.endpoint,
          size: HONEST_SIZE,
          // Publishers' numbers are theirs, and go on from where they are.
          ...(role !== 'sub' && { first }),
          ...(role === 'request' && peer === 'DEALER' && { window: 10, delimiter: true }),
          ...(role === 'xpub' && { hwm: 0 }), // it would leave out what a slow subscriber has no room for
          count,
          hold: true,
          set: PEER_OPTIONS[mechanism],
          timeout: PATIENCE,
        });
  if (serving.type !== 'STREAM') {
    await server.reports('the honest peer is let in', ({ peers }) => peers.handshakes > handshakes);
  }
  return started;
}

/** Lets it do its work, under way while `meanwhile` is. All that it does must come out right. */
async function honestWork(
  serving: Serving,
  peer: Peer,
  server: Attacked,
  count: number,
  meanwhile: () => Promise<void> = async () => {},
): Promise<void> {
  await server.report('reset');
  if (serving.role === 'sub') server.order('publish');
  peer.process.write('go\n');
  await meanwhile();
  const result = await peer.result();
  if (serving.role === 'sub') server.order('quiet');
  if (serving.role === 'sub' || serving.role === 'persistent') expect(result.received).toBe(count);
  else if (serving.type !== 'STREAM') {
    const { received, checksum } = await server.reports('all has come', (report) => report.received >= count);
    expect(received).toBe(count);
    if (serving.role !== 'request') expect(checksum, 'the checksum of what came').toBe(result.checksum);
  }
}

/** What of the frames that came is neither an honest peer's nor in any way well-formed. */
function unexplained(others: readonly string[], wellFormed: readonly Buffer[]): string[] {
  const known = new Set(wellFormed.map(digest));
  // Subscriptions, which libzmq makes for peers of ZMTP 1.0 too, and what honest publishers begin with.
  for (const text of ['\x00', '\x01', 'sync']) known.add(digest(Buffer.from(text)));
  // What a peer that is gone had subscribed to is taken back in its name.
  for (const frame of wellFormed) {
    if (frame[0] === 1) known.add(digest(Buffer.concat([Buffer.from([0]), frame.subarray(1)])));
  }
  return others.filter((hex) => !known.has(hex));
}

export interface Extent {
  readonly seed: number;
  /** How many of each kind of random bytes. */
  readonly streams: number;
  /** Messages of each honest peer. */
  readonly messages: number;
}

/** Everything that strangers try at a socket of this type, in front of honest peers. */
export function attackedServer(
  serving: Serving,
  mechanism: Mechanism,
  { seed, streams, messages }: Extent,
): void {
  it(
    `${serving.type} with ${mechanism}, seed ${seed}`,
    async () => {
      const server = await Attacked.start(serving.type, mechanism, {
        maxMessageSize: MAX_MESSAGE_SIZE,
      });
      const strangers = new Strangers();
      const random = new Random(seed);
      const raw = serving.type === 'STREAM';
      const pair = serving.type === 'PAIR';
      const target = { mechanism, peerType: serving.stranger, maxMessageSize: MAX_MESSAGE_SIZE };
      const all = attacks(random, target, streams).map((attack) =>
        raw ? withoutWaiting(attack) : pair ? withoutClosing(attack) : attack,
      );
      const others: string[] = [];
      const attack = async (some: readonly Attack[]): Promise<void> => {
        for (const { name, connections } of some) {
          const { ended } = await strangers.visit(name, server.port, connections);
          const wanted = connections.filter(({ ending }) => ending === 'wait' || ending === 'half').length;
          expect(ended, `connections that the server ended: ${name}`).toBeGreaterThanOrEqual(wanted);
        }
        others.push(...(await server.report()).others);
      };

      const before = await honestPeer(serving, mechanism, server, messages, 0);
      await attack(pair ? all : all.slice(0, 4));
      await honestWork(serving, before, server, messages, () => attack(pair ? [] : all.slice(4)));
      if (!pair) {
        await server.reports('all have gone', ({ peers }) => peers.open === 0);
        const after = await honestPeer(serving, mechanism, server, messages, messages);
        await honestWork(serving, after, server, messages);
      }

      const wellFormed = all.flatMap(({ fromAnybody = [], fromInside = [] }) => [
        ...(mechanism === 'NULL' ? fromAnybody : []),
        ...(mechanism === 'CURVE' ? [] : fromInside),
      ]);
      expect(unexplained(others, wellFormed), 'frames that came from nowhere').toEqual([]);
      if (mechanism === 'NULL' && ['PULL', 'DEALER', 'ROUTER', 'SUB'].includes(serving.type)) {
        expect(others, 'older peers are heard').toContain(digest(OLD_MESSAGE));
      }
      const connections = all.flatMap((each) => each.connections);
      const { peers, handshakeFailures } = await server.reports(
        'all have gone',
        ({ peers }) => pair || peers.open === 0,
      );
      expect(peers.accepted).toBeGreaterThan(connections.length);
      if (!pair) expect(peers.disconnected, 'all that came are reported gone').toBe(peers.accepted);
      if (!raw) {
        const entered = mechanism === 'CURVE' ? [] : connections.filter(({ steps }) => steps.length > 1);
        expect(peers.handshakes).toBeGreaterThan(entered.length);
        expect(peers.handshakesFailed, 'handshakes that are reported as failed').toBeGreaterThan(300);
        expect(handshakeFailures).toMatchObject({
          EPIPE: expect.any(Number),
          ZMTP_MECHANISM_MISMATCH: expect.any(Number),
          ZMTP_UNEXPECTED_COMMAND: expect.any(Number),
          ...(mechanism === 'PLAIN' && { 'authentication failure': 2 }),
          ...(mechanism === 'CURVE' && { ZMTP_MALFORMED_COMMAND_HELLO: expect.any(Number) }),
        });
      }
      await server.stop();
    },
    2 * PATIENCE,
  );
}

/** To a raw socket all bytes are fine: it ends no connection by itself. */
function withoutWaiting(attack: Attack): Attack {
  return {
    ...attack,
    connections: attack.connections.map(({ steps, ending }) => ({
      steps: steps.filter(({ after }) => after === undefined),
      ending: ending === 'wait' ? 'half' : ending,
    })),
  };
}

/**
 * A PAIR that has its peer turns others away, but libzmq keeps the connections of those who have sent a message until
 * the socket closes.
 */
function withoutClosing(attack: Attack): Attack {
  return {
    ...attack,
    connections: attack.connections.map(({ steps, ending }) => ({
      steps,
      ending: ending === 'half' && steps.length > 1 ? 'close' : ending,
    })),
  };
}

export function attackedServers(extents: readonly Extent[]): void {
  describe.each(['NULL', 'PLAIN', 'CURVE'] as const)('strangers at a server with %s', (mechanism) => {
    for (const extent of extents) {
      for (const serving of SERVED) {
        if (serving.type === 'STREAM' && mechanism !== 'NULL') continue;
        attackedServer(serving, mechanism, extent);
      }
    }
  });
}
