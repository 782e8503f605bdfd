/** Every way to end, in the midst of everything: the tests that test/exit.test.ts and its stress form share. */
import { describe, test } from 'vitest';

import { type Doing, type End, endManyTimes } from './exiting.js';

const ENDS: End[] = ['process.exit()', 'natural exit', 'uncaught exception', 'unhandled rejection'];
const ABRUPT = ENDS.filter((end) => end !== 'natural exit');
const BLOCKING: Doing[] = ['recvSync', 'recvMultipartSync', 'sendSync', 'waitSync'];

/** @param factor how much more often than in the ordinary suite each is repeated */
export function endings(factor: number): void {
  describe('of the main thread', () => {
    test.each(ENDS)('%s, with idle sockets', async (end) => {
      await endManyTimes({ end, doing: 'nothing', thread: 'main' }, 2 * factor);
    });

    test.each(ABRUPT)('%s, with operations pending', async (end) => {
      await endManyTimes({ end, doing: 'receives pending', thread: 'main' }, 7 * factor);
    });

    test.each(ABRUPT)('%s, in the midst of traffic', async (end) => {
      await endManyTimes({ end, doing: 'traffic', thread: 'main' }, 7 * factor);
    });
  });

  describe.each(['a proxy under load', 'a paused proxy'] as const)('with %s', (doing) => {
    test.each(ABRUPT)('%s of the main thread', async (end) => {
      await endManyTimes({ end, doing, thread: 'main' }, 2 * factor);
    });

    test.each([...ABRUPT, 'worker.terminate()' as const])('%s of a Worker', async (end) => {
      await endManyTimes({ end, doing, thread: 'Worker' }, 2 * factor);
    });
  });

  describe('of a Worker with sockets of its own', () => {
    const ends = [...ENDS, 'worker.terminate()' as const];

    test.each(ends)('%s, with idle sockets', async (end) => {
      await endManyTimes({ end, doing: 'nothing', thread: 'Worker' }, 2 * factor);
    });

    test.each(ends.filter((end) => end !== 'natural exit'))('%s, with operations pending', async (end) => {
      await endManyTimes({ end, doing: 'receives pending', thread: 'Worker' }, 4 * factor);
    });

    test.each(ends.filter((end) => end !== 'natural exit'))('%s, in the midst of traffic', async (end) => {
      await endManyTimes({ end, doing: 'traffic', thread: 'Worker' }, 4 * factor);
    });
  });

  describe('while a Worker blocks', () => {
    test.each(BLOCKING)('in %s: process.exit() of the main thread', async (doing) => {
      await endManyTimes({ end: 'process.exit()', doing, thread: 'Worker' }, 3 * factor);
    });

    test.each(BLOCKING)('in %s: an exception in the main thread', async (doing) => {
      await endManyTimes({ end: 'uncaught exception', doing, thread: 'Worker' }, factor);
    });

    test.each(BLOCKING)('in %s: worker.terminate()', async (doing) => {
      await endManyTimes({ end: 'worker.terminate()', doing, thread: 'Worker' }, 3 * factor);
    });
  });
}
