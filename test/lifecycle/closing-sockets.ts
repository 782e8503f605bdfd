/** Sockets that are closed at random moments under traffic, by one thread or several. Short and long runs share this. */
import { type Kit, spawn } from '../threads.js';

export type Doing = 'recv' | 'recvSync' | 'for await' | 'batches' | 'send' | 'sendSync' | 'poll';

/**
 * Another thread is busy with a shared socket, under traffic in both directions, when this thread closes the socket.
 * The other thread must learn of it, and of nothing else; what it received until then must be in order.
 *
 * @param moments how long to let it work before the socket closes, in milliseconds: at most
 */
export async function closeUnderTraffic(
  kit: Kit,
  { rounds, doing, moments = 4 }: { rounds: number; doing: Doing; moments?: number },
): Promise<void> {
  const { zmq, assert, within } = kit;
  const worker = spawn(
    async ({ zmq, assert, within }, { doing }, port) => {
      const busy = async (socket: InstanceType<typeof zmq.Socket>, peer: InstanceType<typeof zmq.Dealer>) => {
        let expected = 0;
        const check = (frame: Uint8Array) => {
          assert.equal(Number(String(frame)), expected, 'messages come in order');
          expected += 1;
        };
        switch (doing) {
          case 'recv':
            for (;;) check(await socket.recv());
          case 'recvSync':
            for (;;) check(socket.recvSync({ timeout: 10_000 }));
          case 'for await':
            for await (const [frame] of socket) check(frame!);
            throw new zmq.SocketClosedError('the loop ended');
          case 'batches':
            for await (const batch of socket.batches()) for (const [frame] of batch) check(frame!);
            throw new zmq.SocketClosedError('the loop ended');
          case 'send':
            for (let n = 0; ; n += 1) await socket.send(`${n}`);
          case 'sendSync':
            for (let n = 0; ; n += 1) socket.sendSync(`${n}`, { timeout: 10_000 });
          case 'poll': {
            const poller = new zmq.Poller([{ socket, readable: true, writable: true }]);
            try {
              for (;;) {
                const { readable } = await poller.wait();
                const frame = readable ? socket.tryRecv() : undefined;
                if (frame !== undefined) check(frame);
                else socket.trySend('x');
              }
            } finally {
              poller.close();
            }
          }
        }
        peer.close();
      };
      port.on('message', async (message) => {
        if (message === 'end') {
          port.close();
          return;
        }
        const socket = zmq.Socket.attach(message);
        port.postMessage('busy');
        let failure: unknown;
        try {
          await within('the socket is closed', busy(socket, undefined as never));
        } catch (error) {
          failure = error;
        }
        const expected =
          failure instanceof zmq.SocketClosedError ||
          (failure instanceof zmq.PollerClosedError && failure.cause !== undefined) ||
          // Closed before the poller was made.
          (failure instanceof zmq.ArgumentError && /expected an open socket/.test(failure.message));
        port.postMessage({ closed: socket.closed, failure: expected ? undefined : String(failure) });
      });
    },
    { doing },
  );

  const context = new zmq.Context();
  for (let round = 0; round < rounds; round += 1) {
    const socket = new zmq.Dealer({ context, linger: 0, sendHighWaterMark: 200 });
    const peer = new zmq.Dealer({ context, linger: 0, sendHighWaterMark: 200 });
    peer.connect(socket.bind(round % 2 === 0 ? `inproc://closing-${round}` : 'tcp://127.0.0.1:*'));
    worker.post(socket.share());
    const traffic = (async () => {
      for (let n = 0; ; n += 1) await peer.send(`${n}`);
    })();
    const drain = (async () => {
      for await (const _ of peer);
    })();
    await worker.message(`round ${round}: the other thread is busy`);
    // Anything from at once to a few turns of the event loop.
    const until = performance.now() + Math.random() * moments;
    while (performance.now() < until) await kit.turn();
    // By this thread's own socket or by another face of the same.
    if (round % 3 === 0) zmq.Socket.attach(socket.share()).close();
    else socket.close();
    const { closed, failure } = await worker.message(`round ${round}: the other thread has noticed`);
    assert.equal(failure, undefined, `round ${round}`);
    assert.equal(closed, true, `round ${round}: the other thread's socket is closed`);
    assert.equal(socket.closed, true);
    peer.close();
    await within(`round ${round}: the sender ends`, assert.rejects(traffic, zmq.SocketClosedError));
    await within(`round ${round}: the peer's loop ends`, drain);
  }
  await within('the context closes', context.close());
  worker.post('end');
  await worker.ended('the other thread ends');
}
