/** The long form of what test/workers.test.ts does for a few rounds. */
import { test } from 'vitest';

import { storm } from '../lifecycle/worker-storm.js';

test.each([1, 2, 3, 4])('eight Workers at a time end at random moments, 60 rounds, seed %d', async (seed) => {
  await storm(60, seed);
});
