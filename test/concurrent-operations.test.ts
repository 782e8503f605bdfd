/** Many operations pending on one socket at a time: they settle in the order in which they were asked for. */
import { describe, expect, test } from 'vitest';

import { Dealer, type Message, Pair, Pull, Push, type SendingSocket, TimeoutError } from 'zeromq-threads';

import { isPending, turn, within } from './bounded.js';
import { ofTest } from './linked.js';
import { endpoints, pattern, patternMessage, patternNumber, startPeer, verify } from './peers/index.js';

const TEN = Array.from({ length: 10 }, (_, index) => index);

/** Notes in which order promises settle. */
function settlingOrder<Value>(promises: readonly Promise<Value>[]): number[] {
  const order: number[] = [];
  for (const [index, promise] of promises.entries()) {
    const note = () => {
      order.push(index);
    };
    promise.then(note, note);
  }
  return order;
}

const PAIRS = ['tcp', 'ipc', 'inproc'] as const;

describe.each(PAIRS)('ten receives at once over %s', (transport) => {
  function connected(): [Push, Pull] {
    const [push, pull] = [ofTest(new Push()), ofTest(new Pull())];
    push.connect(pull.bind(endpoints[transport]()));
    return [push, pull];
  }

  test('asked for first: each gets one message, in order', async () => {
    const [push, pull] = connected();
    for (let round = 0; round < 30; round++) {
      const receives = TEN.map(() => pull.recv());
      const order = settlingOrder(receives);
      for (const n of TEN) await push.send(pattern(10 * round + n, 0, 16));
      const messages = await within(`round ${round}: all ten settle`, Promise.all(receives));
      expect(messages.map(patternNumber)).toEqual(TEN.map((n) => 10 * round + n));
      expect(order, 'the order in which they settle').toEqual(TEN);
    }
  });

  test('with all messages there already', async () => {
    const [push, pull] = connected();
    for (let round = 0; round < 30; round++) {
      for (const n of TEN) await push.send(pattern(10 * round + n, 0, 16));
      // Readability comes before the tenth message does; whatever is missing yet is waited for.
      while (!pull.readable) await turn();
      const receives = TEN.map(() => pull.recv());
      const order = settlingOrder(receives);
      const messages = await within(`round ${round}: all ten settle`, Promise.all(receives));
      expect(messages.map(patternNumber)).toEqual(TEN.map((n) => 10 * round + n));
      expect(order, 'the order in which they settle').toEqual(TEN);
    }
  });

  test('frames and whole messages, with and without limits', async () => {
    const [push, pull] = connected();
    const { signal } = new AbortController();
    for (let round = 0; round < 30; round++) {
      const waiting = [
        pull.recv(),
        pull.recv({ timeout: 10_000 }),
        pull.recvMultipart(),
        pull.recv({ signal }),
        pull.receive(), // the rest of a message whose first frame the recv before it took
        pull.recv('utf8'),
        pull.recvMultipart({ timeout: 10_000, signal }),
      ];
      await push.send(['a0', 'a1']);
      await push.send(['b0', 'b1', 'b2']);
      await push.send(['c0', 'c1', 'c2']);
      await push.send('d');
      await push.send(['e0', '', 'e2']);
      const results = await within(`round ${round}: all settle`, Promise.all(waiting));
      const texts = results.map((result) => (Array.isArray(result) ? result.map(String) : String(result)));
      expect(texts).toEqual(['a0', 'a1', ['b0', 'b1', 'b2'], 'c0', ['c1', 'c2'], 'd', ['e0', '', 'e2']]);
    }
  });

  describe('receives of every kind settle in the order in which they were asked for', () => {
    const kinds = (pull: Pull): Promise<unknown>[] => {
      const [loop, batches] = [pull[Symbol.asyncIterator](), pull.batches({ max: 1 })];
      return [
        pull.recv('utf8'),
        loop.next(),
        pull.recv(),
        pull.recv((message) => message.length),
        batches.next(),
        pull.recvMultipart(),
        pull.recv(Uint8Array),
        pull.receive(),
      ];
    };
    const inOrder = [0, 1, 2, 3, 4, 5, 6, 7];

    test.each(['before the messages come', 'with all messages there'])('asked for %s', async (when) => {
      const [push, pull] = connected();
      const sendAll = async (): Promise<void> => {
        for (const n of inOrder) await push.send(String(n));
      };
      for (let round = 0; round < 10; round++) {
        if (when === 'with all messages there') {
          await sendAll();
          while (!pull.readable) await turn();
        }
        const receives = kinds(pull);
        const order = settlingOrder(receives);
        if (when === 'before the messages come') await sendAll();
        await within(`round ${round}: all settle`, Promise.all(receives));
        await turn();
        expect(order, `round ${round}`).toEqual(inOrder);
      }
    });

    test('when the socket closes, too', async () => {
      const [, pull] = connected();
      const receives = kinds(pull);
      const order = settlingOrder(receives);
      pull.close();
      await within('all settle', Promise.allSettled(receives));
      await turn();
      expect(order).toEqual(inOrder);
    });
  });

  test('a function of a message may close the socket: receives after it fail', async () => {
    const [push, pull] = connected();
    const receives = [
      pull.recv((message) => {
        pull.close();
        return String(message);
      }),
      pull.recv('utf8'),
      pull.receive(),
      pull[Symbol.asyncIterator]().next(),
    ];
    for (const n of [1, 2, 3]) await push.send(String(n));
    const [first, second, third, last] = await within('all settle', Promise.allSettled(receives));
    expect(first).toEqual({ status: 'fulfilled', value: '1' });
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'ENOTSOCK' } });
    expect(third).toMatchObject({ status: 'rejected', reason: { code: 'ENOTSOCK' } });
    expect(last).toEqual({ status: 'fulfilled', value: { done: true, value: undefined } });
  });

  test('a function of a message may receive: it comes after those who waited already', async () => {
    const [push, pull] = connected();
    let inner: Promise<string> | undefined;
    const outer = pull.recv((message) => {
      inner = pull.recv('utf8');
      return String(message);
    });
    const next = pull.recv('utf8');
    for (const n of [1, 2, 3]) await push.send(String(n));
    expect(await within('both settle', Promise.all([outer, next]))).toEqual(['1', '2']);
    expect(await within('the one from within settles', inner!)).toBe('3');
  });

  test('one that is cancelled or timed out takes nothing with it', async () => {
    const [push, pull] = connected();
    const controller = new AbortController();
    const reason = new Error('changed my mind');
    const waiting: Promise<Message>[] = TEN.map((n) => {
      if (n === 2) return pull.recv({ signal: controller.signal });
      return pull.recv(n === 5 ? { timeout: 10 } : undefined);
    });
    controller.abort(reason);
    await expect(waiting[2]).rejects.toBe(reason);
    await expect(waiting[5]).rejects.toBeInstanceOf(TimeoutError);
    const rest = waiting.filter((_, n) => n !== 2 && n !== 5);
    for (const n of TEN) await push.send(pattern(n, 0, 16));
    const received = await within('the other eight settle', Promise.all(rest));
    expect(received.map(patternNumber)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(patternNumber(await within('message 8 comes', pull.recv()))).toBe(8);
    expect(patternNumber(await within('message 9 comes', pull.recv()))).toBe(9);
  });

  test('for await and batches wait their turn among receives', async () => {
    const [push, pull] = connected();
    for (let round = 0; round < 100; round++) {
      const first = pull.recv();
      const batch = pull.batches({ max: 2 })[Symbol.asyncIterator]().next();
      const second = pull.recvMultipart();
      const iterated = pull[Symbol.asyncIterator]().next();
      const last = pull.recv();
      for (let n = 0; n < 6; n++) push.trySend(String(n));
      const seen = [String(await within(`round ${round}: recv`, first))];
      const { value } = await within(`round ${round}: batch`, batch);
      for (const [frame] of value!) seen.push(String(frame));
      seen.push(String((await within(`round ${round}: recvMultipart`, second))[0]));
      seen.push(String((await within(`round ${round}: for await`, iterated)).value![0]));
      seen.push(String(await within(`round ${round}: last recv`, last)));
      while (seen.length < 6) seen.push(String(await within(`round ${round}: the rest`, pull.recv())));
      expect(seen, `round ${round}`).toEqual(['0', '1', '2', '3', '4', '5']);
    }
  });

  test('several batches asked for at once share the messages out', async () => {
    const [push, pull] = connected();
    for (let round = 0; round < 100; round++) {
      const iterators = [0, 1, 2].map(() => pull.batches({ max: 3 })[Symbol.asyncIterator]());
      const waiting = iterators.map((iterator) => iterator.next());
      for (let n = 0; n < 9; n++) push.trySend(String(n));
      const seen: string[] = [];
      for (const [index, batch] of waiting.entries()) {
        const { value } = await within(`round ${round}: batch ${index}`, batch);
        for (const [frame] of value!) seen.push(String(frame));
      }
      while (seen.length < 9) seen.push(String(await within(`round ${round}: the rest`, pull.recv())));
      expect(seen, `round ${round}`).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8']);
    }
  });
});

describe('ten sends at once at the high-water mark', () => {
  const MIB = 1 << 20;
  const COUNT = 64;

  /** Sends until one has to wait. Returns how many were sent, the waiting one being the last. */
  async function fill(
    socket: SendingSocket,
    size: number,
  ): Promise<{ sent: number; waiting: Promise<void> }> {
    for (let n = 0; n < COUNT - TEN.length; n++) {
      const sending = socket.send(pattern(n, 0, size));
      if (await isPending(sending)) return { sent: n + 1, waiting: sending };
    }
    throw new Error('a peer that takes nothing seems to have taken everything');
  }

  test.each([
    ['PUSH', 'PULL', 'tcp', () => new Push({ sendHighWaterMark: 1 })],
    ['PUSH', 'PULL', 'ipc', () => new Push({ sendHighWaterMark: 1 })],
    ['DEALER', 'DEALER', 'tcp', () => new Dealer({ sendHighWaterMark: 1 })],
    ['PAIR', 'PAIR', 'ipc', () => new Pair({ sendHighWaterMark: 1 })],
  ] as const)('%s keeps the order, peer %s over %s', async (_type, peerType, transport, make) => {
    const socket = ofTest(make());
    const peer = await startPeer('c', 'recv', {
      type: peerType,
      bind: endpoints[transport](),
      count: COUNT,
      size: MIB,
      hwm: 1,
      hold: true,
    });
    socket.connect(peer.endpoint);
    const { sent, waiting } = await within('the high-water mark is reached', fill(socket, MIB));
    const sends = TEN.map((n) => socket.send(pattern(sent + n, 0, MIB)));
    const order = settlingOrder([waiting, ...sends]);
    expect(await isPending(Promise.race([waiting, ...sends]))).toBe(true);
    expect(socket.trySend(pattern(0, 0, MIB)), 'trySend when others wait').toBe(false);
    expect(socket.writable, 'writable when others wait').toBe(false);
    peer.go();
    await within('all sends settle', Promise.all([waiting, ...sends]));
    expect(order, 'the order in which they settle').toEqual([0, ...TEN.map((n) => n + 1)]);
    for (let n = sent + TEN.length; n < COUNT; n++) {
      await within(`message ${n} is accepted`, socket.send(pattern(n, 0, MIB)));
    }
    expect((await peer.result()).received).toBe(COUNT);
  });

  test('a waiting send that is cancelled is not delivered, and the others are', async () => {
    const socket = ofTest(new Push({ sendHighWaterMark: 1 }));
    const pull = ofTest(new Pull({ receiveHighWaterMark: 1, prefetch: 1 }));
    socket.connect(pull.bind(endpoints.ipc()));
    const { sent, waiting } = await within('the high-water mark is reached', fill(socket, MIB));
    const controller = new AbortController();
    const sends = TEN.map((n) =>
      socket.send(
        pattern(sent + n, 0, MIB),
        n === 4 ? { signal: controller.signal } : n === 7 ? { timeout: 1 } : undefined,
      ),
    );
    controller.abort(new Error('changed my mind'));
    await expect(sends[4]).rejects.toThrow('changed my mind');
    await expect(sends[7]).rejects.toBeInstanceOf(TimeoutError);
    for (let n = 0; n < sent + TEN.length; n++) {
      if (n === sent + 4 || n === sent + 7) continue;
      verify([await within(`message ${n} comes`, pull.recv())], n, [MIB]);
    }
    await within(
      'the other sends settle',
      Promise.all([waiting, ...sends.filter((_, n) => n !== 4 && n !== 7)]),
    );
    await socket.send('last');
    expect(String(await within('the last message comes', pull.recv()))).toBe('last');
  });

  test.each([
    ['', 300, () => {}],
    [
      ', also while sends are held up for the event loop to turn',
      30,
      (push: Push, pull: Pull) => {
        for (const begun = performance.now(); performance.now() - begun < 30; );
        for (let n = 0; n < 128; n++) {
          void push.send('early');
          while (pull.tryRecv() === undefined);
        }
      },
    ],
  ] as const)('a send that waited settles before a later one that did not%s', async (_, rounds, before) => {
    // A thread of its own sends what waited while this one does not turn.
    const push = ofTest(new Push({ sendHighWaterMark: 1, dedicatedWorker: true }));
    const pull = ofTest(new Pull({ receiveHighWaterMark: 1 }));
    push.connect(pull.bind(endpoints.inproc()));
    let waited = 0;
    for (let round = 0; round < rounds; round++) {
      while (pull.tryRecv() !== undefined);
      before(push, pull);
      while (push.trySend('filler'));
      const sends = [push.send('first')];
      pull.tryRecv();
      pull.tryRecv();
      // Without a turn of the event loop: that the first is on its way this thread cannot have heard yet.
      for (let spins = 0; !push.writable && spins < 100_000; spins++);
      if (push.writable) waited += 1;
      sends.push(push.send('second'));
      const order = settlingOrder(sends);
      while (order.length < 2) {
        while (pull.tryRecv() !== undefined);
        await turn();
      }
      expect(order, `round ${round}`).toEqual([0, 1]);
    }
    expect(waited, 'rounds in which the second did not have to wait').toBeGreaterThan(0);
  });

  test('a send that waited and that a blocking one took along settles before a later one', async () => {
    const push = ofTest(new Push({ sendHighWaterMark: 2 }));
    const pull = ofTest(new Pull({ receiveHighWaterMark: 2 }));
    push.connect(pull.bind(endpoints.inproc()));
    const received: string[] = [];
    const receive = (): void => {
      for (let came = pull.tryRecv(); came !== undefined; came = pull.tryRecv()) received.push(String(came));
    };
    for (let round = 0; round < 100; round++) {
      while (push.trySend('filler'));
      const sends = [push.send('first')];
      receive();
      push.sendSync('taking it along');
      sends.push(push.send('last'));
      const order = settlingOrder(sends);
      await within(`round ${round}: both settle`, Promise.all(sends));
      expect(order, `round ${round}`).toEqual([0, 1]);
      receive();
      const own = received.splice(0).filter((text) => text !== 'filler');
      expect(own, `round ${round}`).toEqual(['first', 'taking it along', 'last']);
    }
  });

  test('multipart messages wait and arrive whole', async () => {
    const sizes = [16, 0, MIB, 1];
    const socket = ofTest(new Push({ sendHighWaterMark: 1 }));
    const peer = await startPeer('c', 'recv', {
      bind: endpoints.tcp(),
      count: 40,
      sizes,
      hwm: 1,
      hold: true,
    });
    socket.connect(peer.endpoint);
    const sends = Array.from({ length: 40 }, (_, n) => socket.send(patternMessage(n, sizes)));
    expect(await isPending(sends.at(-1)!)).toBe(true);
    peer.go();
    await within('all sends settle', Promise.all(sends));
    expect((await peer.result()).received).toBe(40);
  });
});
