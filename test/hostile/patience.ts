/** Strangers that cost a server nothing but time: by announcing what never comes, by silence, by standing in between. */
import { describe, expect, it } from 'vitest';

import { pattern, startPeer } from '../peers/index.js';
import { Random } from '../random.js';
import { entered, just } from './attacks.js';
import { Attacked, digest, PATIENCE, PEER_OPTIONS, Strangers } from './processes.js';
import { frame, greeting } from './zmtp.js';

const MEGABYTE = 2 ** 20;
const GIGABYTE = 2 ** 30;

/** The size of a relayed client's messages, which is not that of honest ones. */
const RELAYED_SIZE = 1234;

export function announcedMemory(connections: number): void {
  describe.each(['NULL', 'PLAIN', 'CURVE'] as const)('with %s and no maxMessageSize', (mechanism) => {
    it(`${connections} frames of a gigabyte that are announced take no memory`, async () => {
      // Of those who are not let in, the server waits for the end of the frame for as long as a handshake may take.
      const server = await Attacked.start('PULL', mechanism, { handshakeInterval: PATIENCE });
      const strangers = new Strangers();
      const steps = [...entered(mechanism, 'PUSH'), { bytes: frame(Buffer.alloc(0), GIGABYTE) }];
      const before = (await server.report()).rss;
      await strangers.visit(
        'announcing',
        server.port,
        Array.from({ length: connections }, () => ({ steps, ending: 'hold' as const })),
      );
      const { rss, peers } = await server.report();
      if (mechanism !== 'CURVE') expect(peers.open, 'they are all there').toBe(connections);
      expect((rss - before) / MEGABYTE, 'megabytes more').toBeLessThan(256);
      strangers.release();
      await server.reports('all have gone', ({ peers: { open } }) => open === 0);
      await server.stop();
    });
  });
}

export function silence(connections: number): void {
  it(
    `${connections} connections that say nothing are ended after handshakeInterval, and others served meanwhile`,
    async () => {
      const server = await Attacked.start('PULL', 'NULL', { handshakeInterval: 2000 });
      const strangers = new Strangers();
      const bytes = [Buffer.alloc(0), greeting('NULL').subarray(0, 10), greeting('NULL')];
      const silent = Array.from({ length: connections }, (_, index) => ({
        steps: just(bytes[index % bytes.length]!),
        ending: 'wait' as const,
      }));
      const ended = strangers.visit('silence', server.port, silent);
      const peer = await startPeer('c', 'send', { connect: server.endpoint, size: 4321, count: 1000 });
      const { checksum } = await peer.result();
      const report = await server.reports('all has come', ({ received }) => received === 1000);
      expect(report.checksum).toBe(checksum);
      expect(await ended).toMatchObject({ ended: connections });
      const { peers } = await server.reports('all have gone', ({ peers: { open } }) => open === 0);
      expect(peers).toMatchObject({ accepted: connections + 1, handshakesFailed: connections });
      await server.stop();
    },
    2 * PATIENCE,
  );
}

export function tampering(seed: number, moments: number): void {
  it(
    `who stands between a CURVE client and its server can change nothing, ${moments} times, seed ${seed}`,
    async () => {
      const server = await Attacked.start('PULL', 'CURVE');
      const random = new Random(seed);
      const strangers = new Strangers();
      const relay = await strangers.relay(
        server.port,
        Array.from({ length: moments }, (_, index) => ({ at: random.below(6000), cut: index % 3 === 0 })),
      );
      // Each connection takes with it what was in the buffers of the system.
      const count = 10_000 * moments;
      await startPeer('c', 'send', {
        connect: `tcp://127.0.0.1:${relay.port}`,
        size: RELAYED_SIZE,
        count,
        set: { ...PEER_OPTIONS.CURVE, RECONNECT_IVL: 5 },
        timeout: PATIENCE,
      });
      await relay.over;
      const { others, handshakeFailures } = await server.report();
      const numbers = Array.from({ length: count }, (_, n) => digest(pattern(n, 0, RELAYED_SIZE)));
      const sent = new Set(numbers);
      expect(others.filter((each) => !sent.has(each))).toEqual([]);
      expect(new Set(others).size, 'each comes at most once').toBe(others.length);
      expect(others.length, 'messages that came before').toBeGreaterThan(0);
      expect(handshakeFailures, 'they are reported').not.toEqual({});
      await server.stop();
    },
    2 * PATIENCE,
  );
}
