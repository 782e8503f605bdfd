/** Waits that need a file descriptor when there is none to be had. */
import { describe, expect, it } from 'vitest';

import { runNode } from './peers/index.js';

/** What waits, given `pull`, `push` and what `more` made; nothing comes, and nobody takes anything. */
const waits: Record<string, { more?: string; wait: string }> = {
  'poller.wait': { more: 'const poller = new Poller([pull]);', wait: 'poller.wait()' },
  'poller.wait with a timeout': {
    more: 'const poller = new Poller([pull]);',
    wait: 'poller.wait({ timeout: 60_000 })',
  },
  'poller.waitSync': { more: 'const poller = new Poller([pull]);', wait: 'poller.waitSync()' },
  'a receive': { wait: 'pull.recv()' },
  'a receive with a worker of its own': {
    more: 'const own = new Pull({ dedicatedWorker: true });',
    wait: 'own.recv()',
  },
  'for await': { wait: '(async () => { for await (const _ of pull); })()' },
  recvSync: { wait: 'pull.recvSync()' },
  'a send': { wait: "push.send('x')" },
  'a send with a worker of its own': {
    more: 'const own = new Push({ dedicatedWorker: true });',
    wait: "own.send('x')",
  },
  sendSync: { wait: "push.sendSync('x')" },
  proxy: { wait: 'proxy(pull, push)' },
};

describe.skipIf(process.platform === 'win32')('without a descriptor', () => {
  it.each(Object.entries(waits))('%s fails with EMFILE, once, and works later', async (_, { more, wait }) => {
    const source = `
      import { closeSync, openSync } from 'node:fs';
      import { Poller, Pull, Push, proxy, ZmqError } from 'zeromq-threads';
      const [pull, push] = [new Pull(), new Push()];
      ${more ?? ''}
      const taken = [];
      const exhaust = () => {
        try {
          for (;;) taken.push(openSync('/dev/null'));
        } catch (error) {
          if (error.code !== 'EMFILE') throw error;
        }
      };
      const wait = async () => ${wait};
      const turn = () => new Promise((resolve) => setImmediate(resolve, 'waits'));
      for (let round = 0; round < 2; round += 1) {
        exhaust();
        const error = await wait().then(() => 'nothing', (reason) => reason);
        for (const descriptor of taken.splice(0)) closeSync(descriptor);
        console.log(error instanceof ZmqError, error.code, error.message);
      }
      if (${!/Sync|proxy/.test(wait)}) console.log(await Promise.race([wait().catch(String), turn()]));
      ${more?.includes('poller') ? 'poller.close();' : ''}
      for (const socket of [pull, push${more?.includes('own') ? ', own' : ''}]) socket.close();
      for (let turns = 0; turns < 5; turns += 1) await turn();
      console.log('lives');
    `;
    const { code, stderr, lines } = await runNode(source, [], {
      step: `a process that has no descriptors for ${wait}`,
      under: ['sh', '-c', 'ulimit -n 100 && exec "$@"', 'sh'],
    });
    expect(stderr).toBe('');
    const failure = expect.stringMatching(/^true EMFILE Cannot .*Too many open files \(EMFILE\)$/);
    expect(lines.filter((line) => line !== 'waits')).toEqual([failure, failure, 'lives']);
    expect(lines.includes('waits')).toBe(!/Sync|proxy/.test(wait));
    expect(code).toBe(0);
  });

  it('a receive with a worker of its own fails or is served, however many there are', async () => {
    const source = `
      import { closeSync, openSync } from 'node:fs';
      import { Pull, Push } from 'zeromq-threads';
      const pairs = Array.from({ length: 16 }, (_, n) => {
        const [pull, push] = [new Pull({ dedicatedWorker: true }), new Push()];
        pull.bind('inproc://' + n);
        push.connect('inproc://' + n);
        return [pull, push];
      });
      for (const [free, [pull, push]] of pairs.entries()) {
        const taken = [];
        try {
          for (;;) taken.push(openSync('/dev/null'));
        } catch (error) {
          if (error.code !== 'EMFILE') throw error;
        }
        for (const descriptor of taken.splice(0, free)) closeSync(descriptor);
        const received = pull.recv('utf8').catch(({ code }) => code);
        push.sendSync('served'); // the worker is there once this has come
        console.log(await received);
        for (const descriptor of taken) closeSync(descriptor);
        pull.close();
        push.close();
      }
    `;
    const { code, stderr, lines } = await runNode(source, [], {
      step: 'a process that has few descriptors',
      under: ['sh', '-c', 'ulimit -n 150 && exec "$@"', 'sh'],
      timeout: 20_000,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    // Threads that end may take one for a moment, too.
    expect(new Set(lines), lines.join()).toEqual(new Set(['EMFILE', 'served']));
    expect(lines[0]).toBe('EMFILE');
    expect(lines).toHaveLength(16);
  });
});
