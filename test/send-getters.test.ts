/** Lists of frames with getters, which may do what they like while they are read. */
import { expect, test } from 'vitest';
import { Pull, Push, SocketClosedError } from 'zeromq-threads';

import { within } from './bounded.js';
import { linked } from './linked.js';

function withGetter(frames: string[], index: number, get: () => string): string[] {
  Object.defineProperty(frames, index, { get });
  return frames;
}

test('a getter that sends leaves the frames before it as they are', async () => {
  const [pull, push] = linked(new Pull(), new Push());
  const frames = withGetter(['a', 'b', 'c'], 1, () => {
    push.trySend('something else, and longer');
    return 'B';
  });
  await push.send(frames);
  const received: string[][] = [];
  while (received.at(-1)?.length !== 3)
    received.push((await within('the message', pull.recvMultipart())).map(String));
  expect(received.at(-1)).toEqual(['a', 'B', 'c']);
});

test.each(['small', 'large'])('after a getter that closes the socket it is closed (%s)', async (size) => {
  const text = size === 'small' ? 'x' : 'x'.repeat(100_000);
  const close = (socket: Push): string[] =>
    withGetter(['a', 'b'], 1, () => {
      socket.close();
      return text;
    });
  const [, first] = linked(new Pull(), new Push());
  await expect(first.send(close(first))).rejects.toBeInstanceOf(SocketClosedError);
  const [, second] = linked(new Pull(), new Push());
  expect(() => second.trySend(close(second))).toThrow(SocketClosedError);
  const [, third] = linked(new Pull(), new Push());
  expect(() => third.sendSync(close(third))).toThrow(SocketClosedError);
});
