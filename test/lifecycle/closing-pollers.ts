/** Pollers that are closed, with their sockets, from another thread while they wait. Short and long runs share this. */
import type { Kit } from '../threads.js';
import { spawn } from '../threads.js';

interface Setup {
  /** Index of the round that the waiting thread is in, and the one that this thread has opened. */
  rounds: number;
  blocking: boolean;
  traffic: boolean;
}

/**
 * A Worker waits on a poller of three sockets; this thread closes the poller and at once the sockets. `rounds` times.
 * Both threads check what they see; whoever hangs is named.
 */
export async function closePollersFromElsewhere(kit: Kit, setup: Setup): Promise<void> {
  const { zmq, assert } = kit;
  const waiter = spawn(async ({ zmq, assert, within }, { rounds, blocking, traffic }, port) => {
    const context = new zmq.Context();
    const outcomes = { closed: 0, refused: 0 };
    for (let round = 0; round < rounds; round += 1) {
      const sockets = [
        new zmq.Pull({ context, linger: 0 }),
        new zmq.Dealer({ context, linger: 0 }),
        new zmq.Subscriber({ context, linger: 0 }),
      ] as const;
      const push = new zmq.Push({ context, linger: 0 });
      push.connect(sockets[0].bind(`inproc://closing-${round}`));
      const poller = new zmq.Poller(sockets);
      port.postMessage({ poller: poller.handle, sockets: sockets.map((socket) => socket.share()) });
      let failure: unknown;
      try {
        for (let n = 0; ; n += 1) {
          if (traffic) push.trySend(`${n}`);
          if (blocking) poller.waitSync({ timeout: 10_000 });
          else await within(`round ${round}: the poller is closed`, poller.wait());
          assert.equal(traffic, true, 'without traffic there is nothing to report');
          if (!sockets[0].closed) sockets[0].tryRecv();
        }
      } catch (error) {
        failure = error;
      }
      // In time for the wait; or between two waits, which then refuses to begin.
      if (failure instanceof zmq.PollerClosedError) outcomes.closed += 1;
      else if (failure instanceof zmq.ArgumentError && /Poller is closed/.test(failure.message))
        outcomes.refused += 1;
      else if (!(traffic && failure instanceof zmq.SocketClosedError)) throw failure;
      assert.equal(poller.closed, true, `round ${round}: the poller knows that it is closed`);
      poller.close();
      push.close();
    }
    await within('the context closes', context.close());
    port.postMessage(outcomes);
  }, setup);
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  for (let round = 0; round < setup.rounds; round += 1) {
    const { poller, sockets } = await waiter.message(`round ${round}: the other thread has made its poller`);
    const attached = sockets.map((handle: Parameters<typeof zmq.Socket.attach>[0]) =>
      zmq.Socket.attach(handle),
    );
    // Let it come at any point of the other thread's way into the wait.
    for (let spin = (round % 40) * 500; spin > 0; spin -= 1) Math.sqrt(spin);
    // On a machine that is busy with other things, too, some come when it waits already.
    if (round % 10 === 9) Atomics.wait(nothing, 0, 0, 10);
    const closer = zmq.Poller.attach(poller);
    closer.close();
    for (const socket of attached) socket.close();
    closer.close();
  }
  const outcomes = await waiter.message('the other thread has seen all rounds');
  assert.ok(outcomes.closed > 0, `some waits were interrupted: ${JSON.stringify(outcomes)}`);
  await waiter.ended('the other thread ends');
}
