/** The long form of what test/close-under-way.test.ts does sixty times. */
import { test } from 'vitest';

import { closeUnderTraffic, type Doing } from '../lifecycle/closing-sockets.js';
import { kit } from '../threads.js';

const WORK: Doing[] = ['recv', 'recvSync', 'for await', 'batches', 'send', 'sendSync', 'poll'];

test.each(WORK)('%s in one thread, closed by another, 1,000 times at random moments', async (doing) => {
  await closeUnderTraffic(kit, { rounds: 1000, doing });
});
