/** Many connections to a socket that is monitored, each dropped as soon as it stands. */
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';

import { expect, it } from 'vitest';
import { Pull, type SocketEvent } from 'zeromq-threads';

import { within } from '../bounded.js';
import { ofTest } from '../linked.js';
import { endpoints } from '../peers/index.js';

/** How many connections are open at a time. */
const AT_ONCE = 50;

function drop(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const client = connect(port, '127.0.0.1', () => client.destroy());
    client.once('error', reject);
    client.once('close', () => resolve());
  });
}

function descriptors(): number {
  return process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0;
}

export function monitoredConnections(count: number, seconds: number): void {
  it(
    `sees every one of ${count} connections come and go, and leaks none`,
    async () => {
      const pull = ofTest(new Pull({ backlog: AT_ONCE * 2 }));
      const seen = new Map<string, number>();
      let changed = (): void => {};
      pull.events.on('event', ({ type }: SocketEvent) => {
        seen.set(type, (seen.get(type) ?? 0) + 1);
        if (seen.get('disconnect') === count) changed();
      });
      const gone = new Promise<void>((resolve) => {
        changed = resolve;
      });
      const port = Number(pull.bind(endpoints.tcp()).split(':').at(-1));
      const before = descriptors();
      let left = count;
      const one = async (): Promise<void> => {
        while (left > 0) {
          left -= 1;
          await drop(port);
        }
      };
      await within(
        'all connections were made',
        Promise.all(Array.from({ length: AT_ONCE }, one)),
        seconds * 1000,
      );
      await within('all are reported gone', gone, seconds * 1000);
      expect(seen.get('accept')).toBe(count);
      expect(seen.get('disconnect')).toBe(count);
      expect(pull.peers).toMatchObject({
        open: 0,
        accepted: count,
        disconnected: count,
        handshakes: 0,
        handshakesFailed: count,
      });
      expect(descriptors()).toBeLessThan(before + AT_ONCE);
    },
    seconds * 2500,
  );
}
