/** serve() on several hosts behind a broker: some are cut off, killed, stopped, and come back, under load. */
import { describe, expect, test } from 'vitest';

import { whyNoHosts } from './hosts.js';
import { ScaledOut, share } from './scale-out.js';

const obstacle = whyNoHosts();
const name = obstacle === undefined ? 'hosts' : `hosts (skipped: ${obstacle})`;

describe.skipIf(obstacle !== undefined)(name, () => {
  test('a worker that is cut off under load is left out, comes back, and no request is lost', async () => {
    const net = new ScaledOut(['w1', 'w2']);
    const client = net.startClient({ timeout: 400, retries: 50 });
    await client.until('both work', (now) => share(now, 'w1') > 100 && share(now, 'w2') > 100);

    net.hosts.cut('w1');
    await net.broker.waitFor(
      'the broker notices',
      20_000,
      ({ lines }) => lines.includes('a worker is gone') || undefined,
    );
    const without = await client.until(
      'the other goes on',
      (now, then) => share(now, 'w2') > share(then, 'w2') + 500,
    );
    net.hosts.mend('w1');
    await client.until('it works again', (now) => share(now, 'w1') > share(without, 'w1') + 100);

    const tally = await client.stop();
    expect(tally.again, 'what the lost worker had was asked again').toBeGreaterThan(0);
    expect(tally.reported, 'with that many attempts all are answered').toBe(0);
    await net.end();
  });

  test('a worker that is cut off with nothing to do is noticed, too', async () => {
    const net = new ScaledOut(['w1', 'w2']);
    for (const worker of net.workers.values()) {
      await worker.waitFor('it is ready', 20_000, ({ lines }) => lines[0]);
    }
    const { broker } = net;
    const count = (line: string): number => broker.lines.filter((each) => each === line).length;
    await broker.waitFor('both are there', 20_000, () => count('a worker came') === 2 || undefined);
    net.hosts.cut('w1');
    await broker.waitFor('the broker notices', 20_000, () => count('a worker is gone') === 1 || undefined);
    net.hosts.mend('w1');
    await broker.waitFor('it is back', 20_000, () => count('a worker came') === 3 || undefined);
    await net.end();
  });

  test('workers are killed, stopped and started under load', async () => {
    const net = new ScaledOut(['w1', 'w2']);
    const client = net.startClient({ timeout: 400, retries: 50 });
    await client.until('both work', (now) => share(now, 'w1') > 100 && share(now, 'w2') > 100);
    await net.workers.get('w1')!.kill('SIGKILL');
    await client.until('the other goes on', (now, then) => share(now, 'w2') > share(then, 'w2') + 200);
    net.startWorker('w1');
    await client.until(
      'a new one takes its place',
      (now, then) => share(now, 'w1') > share(then, 'w1') + 100,
    );
    expect(await net.workers.get('w2')!.kill('SIGTERM')).toMatchObject({ code: 0 });
    await client.until('the other goes on', (now, then) => share(now, 'w1') > share(then, 'w1') + 200);
    expect(await client.stop()).toMatchObject({ reported: 0 });
    await net.end();
  });

  test('while the broker is cut off requests are reported, and afterwards answered', async () => {
    const net = new ScaledOut(['w1']);
    const client = net.startClient({ timeout: 300, retries: 1 });
    await client.until('it works', (now) => now.answered > 100);
    net.hosts.cut('broker');
    await client.until('requests are reported', (now, then) => now.reported >= then.reported + 16);
    net.hosts.mend('broker');
    await client.until('it works again', (now, then) => now.answered > then.answered + 500);
    expect((await client.stop()).reported).toBeGreaterThanOrEqual(16);
    await net.end();
  });
});
