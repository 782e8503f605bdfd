/**
 * Sends that find no room in libzmq: up to the high-water mark they are accepted, beyond it they wait, and whatever
 * way they take, they arrive in order.
 */
import { describe, expect, test } from 'vitest';

import {
  type CanonicalType,
  Context,
  Poller,
  Pull,
  Push,
  Socket,
  SocketClosedError,
  type SocketOptions,
  TimeoutError,
} from 'zeromq-threads';

import { isPending, turn, within } from './bounded.js';
import { ofTest } from './linked.js';
import { endpoints, pattern, startPeer, verify } from './peers/index.js';
import { mixedSends } from './traffic/sending.js';
import { withoutStall } from './workloads/stall.js';

const MARK = 1000;

/** A socket whose peer is not there yet: it queues up to its mark, and nothing leaves. */
async function connectedToNobody(
  type: CanonicalType,
  options?: SocketOptions,
): Promise<{ socket: Socket; endpoint: string }> {
  const socket = ofTest(new Socket(type, options));
  const endpoint = await endpoints.unboundTcp();
  socket.connect(endpoint);
  return { socket, endpoint };
}

/** Sends numbered messages until one is refused. @returns how many were accepted */
function fill(socket: Pick<Socket, 'trySend'>, most = 100_000): number {
  for (let n = 0; n < most; n++) if (!socket.trySend(pattern(n, 0, 16))) return n;
  return most;
}

describe('with nobody there yet', () => {
  test.each([1, 2, 10, 99, 100, 120, 127, 128, 150, 1000, 1001, 20_000])(
    'a high-water mark of %i is kept exactly',
    async (mark) => {
      const { socket, endpoint } = await connectedToNobody('PUSH', { sendHighWaterMark: mark });
      expect(socket.sendHighWaterMark).toBe(mark);
      expect(socket.getOption('sndhwm')).toBe(mark);
      expect(fill(socket)).toBe(mark);
      const peer = await startPeer('c', 'recv', { bind: endpoint, count: mark + 1 });
      await within('there is room again', socket.send(pattern(mark, 0, 16)));
      expect((await peer.result()).received).toBe(mark + 1);
    },
  );

  test('a mark of 0 is none', async () => {
    const { socket, endpoint } = await connectedToNobody('PUSH', { sendHighWaterMark: 0 });
    expect(fill(socket, 5000)).toBe(5000);
    const peer = await startPeer('c', 'recv', { bind: endpoint, count: 5000 });
    expect((await peer.result()).received).toBe(5000);
  });

  test.each(['PUSH', 'DEALER', 'PAIR'] as const)('%s: writable says what trySend does', async (type) => {
    const { socket } = await connectedToNobody(type);
    for (let n = 0; ; n++) {
      const writable = socket.writable;
      if (n % 10 === 0 || n > MARK - 10) {
        using poller = new Poller([{ socket, readable: false, writable: true }]);
        let polled = true;
        try {
          expect(poller.waitSync({ timeout: 0 }).writable).toBe(true);
        } catch (error) {
          if (!(error instanceof TimeoutError)) throw error;
          polled = false;
        }
        expect(polled, `a poller before message ${n}`).toBe(writable);
      }
      const sent = socket.trySend(pattern(n, 0, 16));
      expect(sent, `message ${n}`).toBe(writable);
      if (!sent) break;
    }
  });

  test.each(['wait', 'waitSync'] as const)('Poller.%s returns once there is room again', async (method) => {
    const { socket, endpoint } = await connectedToNobody('PUSH');
    using poller = new Poller([{ socket, readable: false, writable: true }]);
    const accepted = fill(socket);
    const waiting = method === 'wait' ? poller.wait({ timeout: 10_000 }) : undefined;
    const peer = await startPeer('c', 'recv', { bind: endpoint, count: accepted + 1 });
    const result = waiting === undefined ? poller.waitSync({ timeout: 10_000 }) : await waiting;
    expect(result).toMatchObject({ readable: false, writable: true });
    expect(socket.trySend(pattern(accepted, 0, 16))).toBe(true);
    expect((await peer.result()).received).toBe(accepted + 1);
  });

  test('a send waits for room, too, when there was some while nobody waited', async () => {
    const push = ofTest(new Push({ sendHighWaterMark: 1 }));
    const pull = ofTest(new Pull({ receiveHighWaterMark: 1 }));
    pull.connect(push.bind(endpoints.inproc()));
    for (let round = 0; round < 20; round++) {
      fill(push);
      const controller = new AbortController();
      const cancelled = push.send('cancelled', { signal: controller.signal });
      controller.abort();
      await expect(cancelled).rejects.toBe(controller.signal.reason);
      while (pull.tryRecv() !== undefined);
      // The event loop comes to what the socket has to tell.
      await turn();
      await turn();
      fill(push);
      const waiting = push.send('waits');
      while (pull.tryRecv() !== undefined);
      await withoutStall(`round ${round}: the send that waits`, waiting);
      while (pull.tryRecv() !== undefined);
    }
  });

  test('a socket that nobody could ever receive from accepts nothing', async () => {
    const push = ofTest(new Push());
    push.bind(endpoints.tcp());
    expect(push.trySend('message')).toBe(false);
    expect(push.writable).toBe(false);
  });
});

describe.each([
  ['PUSH', 'PULL'],
  ['DEALER', 'DEALER'],
  ['PAIR', 'PAIR'],
] as const)('%s at the default mark', (type, peerType) => {
  test('accepts a thousand sends, lets more wait, and all arrive in order', async () => {
    const { socket, endpoint } = await connectedToNobody(type);
    for (let n = 0; n < MARK; n++) await within(`message ${n} is accepted`, socket.send(pattern(n, 0, 16)));
    const waiting = Array.from({ length: 200 }, (_, index) => socket.send(pattern(MARK + index, 0, 16)));
    expect(await isPending(Promise.race(waiting))).toBe(true);
    const count = MARK + waiting.length;
    const peer = await startPeer('c', 'recv', { type: peerType, bind: endpoint, count });
    await within('the waiting sends settle', Promise.all(waiting));
    expect((await peer.result()).received).toBe(count);
  });

  test.each([-1, 5000])(
    'close({ linger: %i }) delivers what was accepted and nothing else',
    async (linger) => {
      const { socket, endpoint } = await connectedToNobody(type);
      for (let n = 0; n < MARK; n++) await within(`message ${n} is accepted`, socket.send(pattern(n, 0, 16)));
      const waiting = [1, 2, 3].map(() => socket.send('accepted by nobody'));
      socket.close({ linger });
      for (const send of waiting) await expect(send).rejects.toBeInstanceOf(SocketClosedError);
      const receiver = ofTest(new Socket(peerType));
      receiver.bind(endpoint);
      for (let n = 0; n < MARK; n++) {
        verify(await within(`message ${n} comes`, receiver.recvMultipart()), n, [16]);
      }
      await expect(receiver.recv({ timeout: 100 }), 'one that was not accepted').rejects.toBeInstanceOf(
        TimeoutError,
      );
    },
  );

  test('close({ linger: 0 }) drops what was not sent yet', async () => {
    const context = new Context();
    const { socket, endpoint } = await connectedToNobody(type, { context });
    expect(fill(socket)).toBe(MARK);
    socket.close({ linger: 0 });
    await within('libzmq has closed it', context.close());
    const receiver = ofTest(new Socket(peerType));
    receiver.bind(endpoint);
    await expect(receiver.recv({ timeout: 300 })).rejects.toBeInstanceOf(TimeoutError);
  });

  test('closing the context lets what was accepted go out first', async () => {
    const context = new Context();
    const { socket, endpoint } = await connectedToNobody(type, { context });
    expect(fill(socket)).toBe(MARK);
    const closing = context.close({ timeout: 10_000 });
    const peer = await startPeer('c', 'recv', { type: peerType, bind: endpoint, count: MARK });
    expect((await peer.result()).received).toBe(MARK);
    await within('the context is closed', closing);
  });

  test('a linger ends although nobody ever comes', async () => {
    const context = new Context();
    const { socket } = await connectedToNobody(type, { context });
    expect(fill(socket)).toBe(MARK);
    socket.close({ linger: 100 });
    await within('the context is closed', context.close(), 5000);
  });
});

describe('with a peer that takes nothing yet', () => {
  const SIZE = 16 * 1024;
  /** What is on its way counts for nobody: the operating system's buffers, and one message of the peer's. */
  const ON_THE_WAY = 1500;

  /** Fills up for as long as there is room within a moment. @returns how many were accepted */
  async function fillUp(socket: Push): Promise<number> {
    let n = 0;
    for (;;) {
      const accepted = await socket.send(pattern(n, 0, SIZE), { timeout: 100 }).then(
        () => true,
        (error: unknown) => {
          if (error instanceof TimeoutError) return false;
          throw error;
        },
      );
      if (!accepted) return n;
      n += 1;
    }
  }

  test('sends are accepted up to about the mark, wait, and go on when it does', async () => {
    const push = ofTest(new Push());
    const count = MARK + ON_THE_WAY;
    const set = { RCVHWM: 1 };
    const peer = await startPeer('c', 'recv', { bind: endpoints.tcp(), count, size: SIZE, set, hold: true });
    push.connect(peer.endpoint);
    const accepted = await within('the mark is reached', fillUp(push), 20_000);
    expect(accepted).toBeGreaterThanOrEqual(MARK);
    expect(accepted).toBeLessThan(count);
    const rest = Array.from({ length: count - accepted }, (_, index) =>
      push.send(pattern(accepted + index, 0, SIZE)),
    );
    peer.go();
    await within('the rest is accepted', Promise.all(rest));
    push.close({ linger: -1 });
    expect((await peer.result()).received).toBe(count);
  });

  test.each([-1, 5000])(
    'close({ linger: %i }) right after the last accepted send loses nothing',
    async (linger) => {
      const push = ofTest(new Push());
      const pull = ofTest(new Pull({ receiveHighWaterMark: 1 }));
      push.connect(pull.bind(endpoints.tcp()));
      const accepted = await within('the mark is reached', fillUp(push), 20_000);
      push.close({ linger });
      for (let n = 0; n < accepted; n++) {
        verify([await within(`message ${n} comes`, pull.recv())], n, [SIZE]);
      }
      await expect(pull.recv({ timeout: 100 })).rejects.toBeInstanceOf(TimeoutError);
    },
  );
});

describe('a send that times out at the mark', () => {
  const TIMED_OUT = 'timed out';

  async function full(options?: SocketOptions): Promise<{ socket: Socket; endpoint: string }> {
    const made = await connectedToNobody('PUSH', options);
    expect(fill(made.socket)).toBe(MARK);
    return made;
  }

  async function expectDelivered(socket: Socket, endpoint: string): Promise<void> {
    const pull = ofTest(new Pull());
    pull.bind(endpoint);
    socket.sendTimeout = -1;
    await within('there is room again', socket.send(pattern(MARK, 0, 16)));
    for (let n = 0; n <= MARK; n++) {
      verify(await within(`message ${n} comes`, pull.recvMultipart()), n, [16]);
    }
    await expect(pull.recv({ timeout: 100 }), 'a message that timed out').rejects.toBeInstanceOf(
      TimeoutError,
    );
  }

  test('by its own timeout', async () => {
    const { socket, endpoint } = await full();
    for (const timeout of [0, 1, 20]) {
      const failure = await socket.send(TIMED_OUT, { timeout }).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(TimeoutError);
      expect((failure as TimeoutError).timeoutSecs).toBe(timeout / 1000);
      expect((failure as TimeoutError).code).toBe('EAGAIN');
    }
    await expectDelivered(socket, endpoint);
  });

  test('by the socket’s sendTimeout', async () => {
    const { socket, endpoint } = await full();
    for (const timeout of [0, 20]) {
      socket.sendTimeout = timeout;
      await expect(socket.send(TIMED_OUT)).rejects.toBeInstanceOf(TimeoutError);
      await expect(socket.sendMultipart([TIMED_OUT, 'twice'])).rejects.toBeInstanceOf(TimeoutError);
      expect(() => socket.sendSync(TIMED_OUT)).toThrow(TimeoutError);
    }
    await expectDelivered(socket, endpoint);
  });

  test('in a blocking call', async () => {
    const { socket, endpoint } = await full();
    for (const timeout of [0, 1, 20]) {
      expect(() => socket.sendSync(TIMED_OUT, { timeout })).toThrow(TimeoutError);
    }
    await expectDelivered(socket, endpoint);
  });

  test('in a blocking call behind others that wait', async () => {
    const { socket, endpoint } = await full();
    const waiting = socket.send(TIMED_OUT, { timeout: 200 });
    expect(() => socket.sendSync(TIMED_OUT, { timeout: 20 })).toThrow(TimeoutError);
    await expect(waiting).rejects.toBeInstanceOf(TimeoutError);
    await expectDelivered(socket, endpoint);
  });

  test('while others before and after it wait on', async () => {
    const { socket, endpoint } = await full();
    const sends = [
      socket.send(pattern(MARK, 0, 16)),
      socket.send(TIMED_OUT, { timeout: 1 }),
      socket.send(pattern(MARK + 1, 0, 16)),
      socket.send([TIMED_OUT, ''], { timeout: 2 }),
      socket.send(pattern(MARK + 2, 0, 16)),
    ];
    await expect(sends[1]).rejects.toBeInstanceOf(TimeoutError);
    await expect(sends[3]).rejects.toBeInstanceOf(TimeoutError);
    const peer = await startPeer('c', 'recv', { bind: endpoint, count: MARK + 3 });
    await within('the others settle', Promise.all([sends[0], sends[2], sends[4]]));
    expect((await peer.result()).received).toBe(MARK + 3);
  });
});

describe('the order is kept', () => {
  mixedSends(6000, [1, 2, 3, 4, 5]);
});
