/** Proxies that end under load. test/stress/proxy-end.test.ts does the same 1,000 times. */
import { describe, expect, test } from 'vitest';

import { endUnderLoad, PROXY_ENDS, terminateBroker, terminateStreamer } from './lifecycle/ending-proxies.js';

test('PULL to PUSH, terminated 100 times: all comes out once, in order', async () => {
  expect(await terminateStreamer(100)).toBeGreaterThan(0);
});

test('ROUTER and DEALER, terminated 100 times: every request is answered', async () => {
  expect(await terminateBroker(100)).toBeGreaterThan(0);
});

describe('under load both ways, with a capture', () => {
  test.each(PROXY_ENDS)('%s', async (end) => {
    await endUnderLoad(end, 10);
  });
});
