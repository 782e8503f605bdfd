/** What the application throws where nobody can catch it, in a turn of the event loop that began with a message. */
import { expect, test } from 'vitest';

import { runNode } from './peers/index.js';

/** Waits for a message, and throws then. */
const THROWS = `
  import { Pull, Push } from 'zeromq-threads';
  const pull = new Pull();
  const push = new Push({ linger: 0 });
  push.connect(pull.bind('inproc://uncaught'));
  const waiting = pull.recv('utf8');
  setTimeout(() => push.trySend('x'), 20); // by then the event loop waits
  await waiting;
  process.nextTick(() => { throw new RangeError('thrown in a tick'); });
  process.nextTick(() => console.log('the tick after it'));
`;
const CLOSES = `
  await new Promise(setImmediate);
  pull.close();
  push.close();
  console.log('done');
`;

test('it ends the process, as ever', async () => {
  const result = await runNode(`${THROWS}${CLOSES}`, [], { step: 'a program that throws', timeout: 20_000 });
  expect(result).toMatchObject({ code: 1, stdout: '' });
  expect(result.stderr).toMatch(/RangeError: thrown in a tick/);
});

test('an uncaughtException handler is told, and the program goes on', async () => {
  const result = await runNode(
    `process.on('uncaughtException', (error) => console.log('caught:', error.message));
    ${THROWS}${CLOSES}`,
    [],
    { step: 'a program that throws and goes on', timeout: 20_000 },
  );
  expect(result).toMatchObject({ code: 0, stderr: '' });
  expect(result.lines).toEqual(['caught: thrown in a tick', 'the tick after it', 'done']);
});

test("in a Worker it is the Worker's error", async () => {
  const result = await runNode(
    `import { Worker } from 'node:worker_threads';
    const url = new URL('data:text/javascript,' + encodeURIComponent(process.argv[2]));
    const worker = new Worker(url);
    worker.on('error', (error) => console.log('error:', error.message));
    worker.on('exit', (code) => console.log('exit:', code));`,
    [THROWS.replace("'zeromq-threads'", `'${import.meta.resolve('zeromq-threads')}'`)],
    { step: 'a Worker that throws', timeout: 20_000 },
  );
  expect(result).toMatchObject({ code: 0, stderr: '' });
  expect(result.lines).toEqual(['error: thrown in a tick', 'exit: 1']);
});
