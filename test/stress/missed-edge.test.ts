/** The long form of test/missed-edge.test.ts and test/lost-wakeups.test.ts. */
import { describe, test } from 'vitest';

import {
  othersWaitForRoom,
  pollerAfterCancelledReceive,
  pollerBehindWithdrawnSend,
  roomOfOnePeer,
  sendBehindWithdrawnSend,
  senderThatBlocks,
  trySendWithoutRoom,
} from '../workloads/edges.js';
import { hunt, scenarios, transports } from '../workloads/missed-edge.js';

describe('no event is missed and no message lost', () => {
  for (const scenario of scenarios) {
    for (const transport of transports) {
      hunt({ scenario, transport, messages: 1_000_000 });
      hunt({ scenario, transport, messages: 50_000, mark: 1 });
      hunt({ scenario, transport, messages: 50_000, mark: 3, window: 5 });
      hunt({ scenario, transport, messages: 10_000, window: 1 });
    }
  }
});

test('trySend without room, while a message arrives', async () => {
  await trySendWithoutRoom({ rounds: 100_000 });
});

test('several receives, while another thread waits for room to send', async () => {
  await othersWaitForRoom({ rounds: 200_000 });
});

test('a poller that takes over from a cancelled receive', async () => {
  await pollerAfterCancelledReceive({ rounds: 50_000 });
});

test('a receive in another thread, while this one sends and then blocks', async () => {
  await senderThatBlocks({ rounds: 100_000 });
});

test.each([false, true])(
  'sends that wait for room at the one peer of a ROUTER (through a proxy: %s)',
  async (proxied) => {
    await roomOfOnePeer({ rounds: 500_000, proxied });
  },
);

test.each([false, true])(
  'a poller that waits for room behind a send that is withdrawn (waits before it: %s)',
  async (armedFirst) => {
    await pollerBehindWithdrawnSend({ rounds: 50_000, armedFirst });
  },
);

test.each([false, true])(
  'a send behind one to a full peer of a ROUTER that is withdrawn (blocks a thread: %s)',
  async (blocking) => {
    await sendBehindWithdrawnSend({ rounds: 50_000, blocking });
  },
);
