/** The long form of test/scale-out-hosts.test.ts: hosts are cut off, killed and stopped again and again. */
import { expect, test } from 'vitest';

import { whyNoHosts } from '../hosts.js';
import { ScaledOut, share } from '../scale-out.js';

const ROUNDS = Number(process.env.ZMQT_ROUNDS ?? 60);
const WORKERS = ['w1', 'w2', 'w3', 'w4'];
const obstacle = whyNoHosts();

test.skipIf(obstacle !== undefined)(
  `${ROUNDS} rounds of misfortune${obstacle === undefined ? '' : ` (skipped: ${obstacle})`}`,
  async () => {
    const net = new ScaledOut(WORKERS);
    const client = net.startClient({ timeout: 500, retries: 60 });
    await client.until('all work', (now) => WORKERS.every((worker) => share(now, worker) > 50));
    for (let round = 0; round < ROUNDS; round += 1) {
      const victim = WORKERS[round % WORKERS.length]!;
      const step = (what: string): string => `round ${round}: ${what} ${victim}`;
      const fate = ['cut', 'SIGKILL', 'SIGTERM'][round % 3]!;
      if (fate === 'cut') net.hosts.cut(victim);
      else await net.workers.get(victim)!.kill(fate as NodeJS.Signals);
      await client.until(
        step(`the others go on without (${fate})`),
        (now, then) => now.answered > then.answered + 2000,
      );
      if (fate === 'cut') net.hosts.mend(victim);
      else net.startWorker(victim);
      await client.until(
        step('it works again:'),
        (now, then) => share(now, victim) > share(then, victim) + 50,
      );
    }
    expect(await client.stop()).toMatchObject({ reported: 0 });
    await net.end();
  },
);
