/** No call on a socket may swallow the event that somebody else waits for. */
import { test } from 'vitest';

import {
  othersWaitForRoom,
  pollerAfterCancelledReceive,
  roomOfOnePeer,
  senderThatBlocks,
  trySendWithoutRoom,
} from './workloads/edges.js';

test('trySend without room, while a message arrives', async () => {
  await trySendWithoutRoom({ rounds: 3000 });
});

test('several receives, while another thread waits for room to send', async () => {
  await othersWaitForRoom({ rounds: 5000 });
});

test('a poller that takes over from a cancelled receive', async () => {
  await pollerAfterCancelledReceive({ rounds: 1500 });
});

test('a receive in another thread, while this one sends and then blocks', async () => {
  await senderThatBlocks({ rounds: 5000 });
});

test.each([false, true])(
  'sends that wait for room at the one peer of a ROUTER (through a proxy: %s)',
  async (proxied) => {
    await roomOfOnePeer({ rounds: 10_000, proxied });
  },
);
