/** Listeners that throw: each is an uncaught exception, as with any emitter, and nothing else is the worse for it. */
import { expect, it } from 'vitest';

import { runNode } from './peers/index.js';

/** Runs a script that hears of what nobody caught. @returns what it printed */
async function run(step: string, script: string): Promise<string[]> {
  const result = await runNode(
    `
    import { Authenticator, Context, Pull, Push } from 'zeromq-threads';
    const throws = (name) => () => { throw new Error(name); };
    process.on('uncaughtException', (error, origin) => console.log(origin + ': ' + error.message));
    const stays = setInterval(() => {}, 1000); // listeners keep no process
    ${script}
    clearInterval(stays);
    `,
    [],
    { step, timeout: 20_000 },
  );
  expect(result).toMatchObject({ code: 0, signal: null, stderr: '' });
  return result.stdout.trim().split('\n');
}

it('those of socket.events: later events come, to all others, and the socket is counted and closed as ever', async () => {
  const lines = await run(
    'a socket whose listeners throw',
    `
    const pull = new Pull({ linger: 0 });
    for (const type of ['bind', 'accept', 'end', 'event']) pull.events.once(type, throws(type));
    const types = [];
    let changed;
    pull.events.on('event', ({ type }) => {
      types.push(type);
      changed?.();
    });
    const told = async (type) => {
      while (!types.includes(type)) await new Promise((resolve) => { changed = resolve; });
    };
    const endpoint = pull.bind('tcp://127.0.0.1:*');
    const push = new Push({ linger: 0 });
    push.connect(endpoint);
    await told('handshake');
    console.log('open: ' + pull.peers.open);
    push.close();
    await told('disconnect');
    console.log('open: ' + pull.peers.open);
    pull.close();
    await told('end');
    console.log(types.join());
    `,
  );
  expect(lines.filter((line) => line.startsWith('uncaught')).sort()).toEqual(
    ['accept', 'bind', 'end', 'event'].map((type) => `uncaughtException: ${type}`),
  );
  expect(lines.filter((line) => !line.startsWith('uncaught'))).toEqual([
    'open: 1',
    'open: 0',
    // The one that threw at the first event came before this listener, which emit() passes over then.
    'accept,handshake,disconnect,end',
  ]);
});

it('those of socket.events: nothing of the socket is left', async () => {
  const lines = await run(
    'sockets whose listeners throw',
    `
    const context = new Context({ maxSockets: 10 });
    for (let n = 0; n < 5; n += 1) {
      const pull = new Pull({ context });
      pull.events.on('bind', throws('bind'));
      const closed = new Promise((resolve) => pull.events.once('end', resolve));
      const bound = new Promise((resolve) => pull.events.once('event', resolve));
      pull.bind('tcp://127.0.0.1:*');
      await bound;
      pull.close();
      await closed;
    }
    // libzmq takes a moment to have done with them.
    const areGone = () => {
      const made = [];
      try {
        while (made.length < 10) made.push(new Pull({ context }));
        return true;
      } catch {
        return false;
      } finally {
        for (const socket of made) socket.close();
      }
    };
    while (!areGone()) await new Promise(setImmediate);
    await context.close({ timeout: 5000 });
    console.log('closed');
    `,
  );
  expect(lines.filter((line) => line === 'uncaughtException: bind')).toHaveLength(5);
  expect(lines.at(-1)).toBe('closed');
});

it("an Authenticator's: whoever asks is answered, and later events come", async () => {
  const lines = await run(
    'an Authenticator whose listeners throw',
    `
    const context = new Context();
    const authenticator = new Authenticator(context);
    await authenticator.configurePlain({ verify: () => Promise.reject(new Error('no database')) });
    for (const type of ['error', 'denied']) authenticator.events.on(type, throws(type));
    const types = [];
    const denied = new Promise((resolve) => {
      authenticator.events.on('event', ({ type, status }) => {
        types.push(type);
        if (type === 'denied') resolve(status);
      });
    });
    const pull = new Pull({ context, plainServer: true, zapDomain: 'test' });
    const push = new Push({ context, plainUsername: 'a', plainPassword: 'b', linger: 0 });
    push.connect(pull.bind('tcp://127.0.0.1:*'));
    console.log('status: ' + await denied);
    console.log(types.join());
    push.close();
    pull.close();
    await authenticator.close();
    await context.close();
    `,
  );
  expect(lines.sort()).toEqual([
    'error,denied',
    'status: 500',
    'uncaughtException: denied',
    'uncaughtException: error',
  ]);
});
