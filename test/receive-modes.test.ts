/** However a stream is received, it is the same bytes in the same order: each way by itself, and all of them mixed. */
import { describe, test } from 'vitest';

import { mixedReceives, receiveBy, waysToReceive } from './traffic/receiving.js';

describe.each(['c', 'ourselves'] as const)('messages from %s', (from) => {
  test.each(waysToReceive(from))('%s', async (way) => {
    await receiveBy(from, way);
  });

  mixedReceives(from, [0, 1, 2, 3]);
});
