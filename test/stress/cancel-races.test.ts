/** The races of test/timeouts.test.ts, many more of them. */
import { describe, expect, it } from 'vitest';

import { endings, raceFirstPeer, raceReceives, raceSends } from '../cancel-races.js';

describe.each(['timeout', 'abort'] as const)('waits ended by %s', (ending) => {
  it('200,000 receives', async () => {
    const { received, ended } = await raceReceives(endings[ending], 100, 2000);
    expect(received + ended).toBe(200_000);
    expect(Math.min(received, ended)).toBeGreaterThan(1000);
  });

  it('40,000 sends', async () => {
    const { received, ended } = await raceSends(endings[ending], 40, 1000);
    expect(received + ended).toBe(40_000);
    expect(Math.min(received, ended)).toBeGreaterThan(400);
  });
});

it('the first peer against an abort, 10,000 times', async () => {
  const { received, ended } = await raceFirstPeer(10_000);
  expect(Math.min(received, ended)).toBeGreaterThan(300);
});
