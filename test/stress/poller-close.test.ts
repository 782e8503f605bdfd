/** The long form of what test/poller-close.test.ts does a hundred times. */
import { test } from 'vitest';

import { closePollersFromElsewhere } from '../lifecycle/closing-pollers.js';
import { kit } from '../threads.js';

test.each([
  [false, false],
  [true, false],
  [false, true],
  [true, true],
])(
  '1,000 pollers closed by another thread that closes the sockets at once (blocking: %s, traffic: %s)',
  async (blocking, traffic) => {
    await closePollersFromElsewhere(kit, { rounds: 1000, blocking, traffic });
  },
);
