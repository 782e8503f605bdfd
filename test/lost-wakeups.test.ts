/** No call on a socket may swallow the event that somebody else waits for. */
import { test } from 'vitest';

import {
  othersWaitForRoom,
  pollerAfterCancelledReceive,
  pollerBehindWithdrawnSend,
  roomOfOnePeer,
  sendBehindWithdrawnSend,
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

test.each([false, true])(
  'a poller that waits for room behind a send that is withdrawn (waits before it: %s)',
  async (armedFirst) => {
    await pollerBehindWithdrawnSend({ rounds: 300, armedFirst });
  },
);

test.each([false, true])(
  'a send behind one to a full peer of a ROUTER that is withdrawn (blocks a thread: %s)',
  async (blocking) => {
    await sendBehindWithdrawnSend({ rounds: 1000, blocking });
  },
);
