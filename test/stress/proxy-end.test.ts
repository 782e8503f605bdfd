/** The long form of test/proxy-end.test.ts. */
import { describe, expect, test } from 'vitest';

import { endUnderLoad, PROXY_ENDS, terminateBroker, terminateStreamer } from '../lifecycle/ending-proxies.js';

test('PULL to PUSH, terminated 1,000 times: all comes out once, in order', async () => {
  expect(await terminateStreamer(1000)).toBeGreaterThan(1000);
});

test('ROUTER and DEALER, terminated 1,000 times: every request is answered', async () => {
  expect(await terminateBroker(1000)).toBeGreaterThan(1000);
});

describe('under load both ways, with a capture, 200 times each', () => {
  test.each(PROXY_ENDS)('%s', async (end) => {
    await endUnderLoad(end, 200);
  });
});
