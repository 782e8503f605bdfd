/** Different ways to receive from one socket in one thread: each message goes to one of them, and none of them hangs. */
import { expect, test } from 'vitest';
import { Pull, Push } from 'zeromq-threads';

import { isPending, within } from './bounded.js';
import { linked } from './linked.js';

test('a loop over batches that waits comes before a blocking receive that came later', async () => {
  const [pull, push] = linked(new Pull(), new Push());
  const batches = pull.batches({ max: 1 });
  const next = batches.next();
  expect(await isPending(next)).toBe(true);
  push.sendSync('for the batch');
  push.sendSync('for the blocking receive');
  expect(String(pull.recvSync({ timeout: 10_000 }))).toBe('for the blocking receive');
  const { value } = await within('the batch comes', next);
  expect([...value!].map(([frame]) => String(frame))).toEqual(['for the batch']);
  await batches.return?.();
});

test('receives that wait, blocking receives and polls share the messages, in order', async () => {
  const [pull, push] = linked(new Pull(), new Push());
  const waiting = [pull.recv(), pull.recv(), pull.recv()];
  for (let n = 0; n < 6; n += 1) push.sendSync(`${n}`);
  expect(String(pull.recvSync({ timeout: 10_000 }))).toBe('3');
  expect((await within('those that waited first', Promise.all(waiting))).map(String)).toEqual([
    '0',
    '1',
    '2',
  ]);
  expect(String(pull.recvSync({ timeout: 10_000 }))).toBe('4');
  expect(String(await within('one more', pull.recv()))).toBe('5');
  expect(pull.tryRecv()).toBeUndefined();
});
