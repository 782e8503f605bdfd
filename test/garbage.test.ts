/** Sockets, pollers and contexts that nobody can reach any more: closed if they are idle, kept while they are of use. */
import { expect, test } from 'vitest';

import { endpoints, runNode } from './peers/index.js';

/** Runs `body` in a process of its own; it ends with the lines that `body` prints. */
async function run(step: string, body: string): Promise<string[]> {
  const result = await runNode(
    `import { readdirSync } from 'node:fs';
     import { Context, Dealer, Message, Pair, Poller, Pull, Push, Socket } from 'zeromq-threads';
     const count = (what) => readdirSync('/proc/self/' + what).length;
     const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
     // What a WeakRef was asked for stays for the rest of the turn.
     const collect = async (rounds = 10) => {
       for (let n = 0; n < rounds; n += 1) { await pause(5); gc(); await pause(0); }
     };
     const collectUntil = async (what, done) => {
       for (let n = 0; n < 300; n += 1) {
         await collect(1);
         if (done()) return;
       }
       throw new Error('not collected: ' + what);
     };
     // Starts the thread's I/O worker, so that what it has is not counted later.
     const warmUp = async () => {
       const [pull, push] = [new Pull(), new Push()];
       push.connect(pull.bind('inproc://warm-up'));
       // A poller needs it at once, and does not return before it runs.
       const poller = new Poller([pull]);
       const readable = poller.wait();
       await push.send('x');
       await readable;
       poller.close();
       await pull.recv();
       pull.close();
       push.close();
     };
     const canBind = (endpoint) => {
       const socket = new Pull();
       try { socket.bind(endpoint); return true; } catch { return false; } finally { socket.close(); }
     };
     ${body}`,
    [],
    { step, nodeArgs: ['--expose-gc'], timeout: 20_000 },
  );
  expect(result, step).toMatchObject({ code: 0, signal: null, stderr: '' });
  return result.lines;
}

test('a socket that nobody can reach is closed', async () => {
  await run(
    'idle sockets',
    `const make = () => {
       const socket = new Pull();
       const endpoint = socket.bind('tcp://127.0.0.1:*');
       return { endpoint, socket: new WeakRef(socket) };
     };
     const { endpoint, socket } = make();
     if (canBind(endpoint)) throw new Error('it is bound');
     await collectUntil('the socket', () => socket.deref() === undefined && canBind(endpoint));`,
  );
});

test('many of them give back their descriptors, also after they were used', async () => {
  await run(
    'used sockets',
    `const use = async () => {
       const [pull, push] = [new Pull(), new Push()];
       push.connect(pull.bind('tcp://127.0.0.1:*'));
       await push.send(['hello', Buffer.alloc(20_000)]);
       await pull.recvMultipart();
       for await (const _ of (await push.send('x'), pull)) break;
       for await (const _ of (await push.send('x'), pull.batches())) break;
       pull.tryRecv();
       await new Poller([pull, { socket: push, readable: false, writable: true }]).wait();
     };
     await warmUp();
     await use();
     await collect(30);
     const before = count('fd');
     for (let n = 0; n < 50; n += 1) await use();
     const meanwhile = count('fd');
     if (meanwhile <= before) throw new Error('expected descriptors in use: ' + meanwhile + ', before ' + before);
     await collectUntil('100 sockets, ' + meanwhile + ' descriptors, before ' + before, () => count('fd') <= before);`,
  );
});

test.each([
  ['a receive', '(socket) => socket.recv().then(String)'],
  ['a receive with a timeout', '(socket) => socket.recv({ timeout: 15_000 }).then(String)'],
  ['a receive of a message', '(socket) => socket.recvMultipart().then(String)'],
  ['a decoding receive', '(socket) => socket.recv("utf8")'],
  ['a loop', 'async (socket) => { for await (const [frame] of socket) return String(frame); }'],
  [
    'a loop over batches',
    'async (socket) => { for await (const batch of socket.batches()) return String(batch.at(0)); }',
  ],
  [
    'a poller that waits',
    '(socket) => new Poller([socket]).wait().then((result) => String(result.socket.tryRecv()))',
  ],
  [
    'a loop over a poller',
    'async (socket) => { for await (const result of new Poller([socket])) return String(result.socket.tryRecv()); }',
  ],
  [
    'a loop over monitor events',
    `async (socket) => {
       for await (const { type } of socket.events) if (type === 'accept') break;
       return socket.recv({ timeout: 10_000 }).then(String);
     }`,
  ],
])('%s keeps its socket, and lets it go afterwards', async (_name, operation) => {
  const lines = await run(
    _name,
    `const begin = ${operation};
     const make = () => {
       const socket = new Pull();
       const endpoint = socket.bind('tcp://127.0.0.1:*');
       return { endpoint, outcome: begin(socket), socket: new WeakRef(socket) };
     };
     let { endpoint, outcome, socket } = make();
     await collect(20);
     const push = new Push();
     push.connect(endpoint);
     await push.send('it is there');
     console.log(await outcome);
     outcome = undefined;
     await collectUntil('the socket', () => socket.deref() === undefined && canBind(endpoint));`,
  );
  expect(lines).toEqual(['it is there']);
});

test('a send that waits keeps its socket until the message has left', async () => {
  const lines = await run(
    'a parked send',
    `const pull = new Pull();
     const endpoint = pull.bind('tcp://127.0.0.1:*');
     const sent = (() => {
       const push = new Push();
       const sent = push.send('parked');
       setTimeout(() => push.connect(endpoint), 200);
       return sent;
     })();
     await collect(60);
     await sent;
     await collect(20);
     console.log(String(await pull.recv()));`,
  );
  expect(lines).toEqual(['parked']);
});

test('what a collected socket has accepted still leaves', async () => {
  const lines = await run(
    'unsent messages',
    `const endpoint = '${await endpoints.unboundTcp()}';
     const context = new Context();
     const make = async () => {
       const push = new Push({ context, sendHighWaterMark: 2000 });
       push.connect(endpoint);
       for (let n = 0; n < 1500; n += 1) await push.send('small ' + n);
       await push.send(Message.alloc(100_000));
       return new WeakRef(push);
     };
     const push = await make();
     await collectUntil('the sender', () => push.deref() === undefined);
     await collect();
     const pull = new Pull();
     pull.bind(endpoint);
     let received = 0;
     for await (const _ of pull) { received += 1; if (received === 1501) break; }
     console.log(received);`,
  );
  expect(lines).toEqual(['1501']);
});

test('a face of a shared socket that is collected leaves the socket to the others', async () => {
  const lines = await run(
    'attached sockets',
    `const pull = new Pull();
     const endpoint = pull.bind('tcp://127.0.0.1:*');
     const attach = () => {
       const attached = Socket.attach(pull.share());
       attached.tryRecv();
       return new WeakRef(attached);
     };
     const attached = Array.from({ length: 10 }, attach);
     await collectUntil('attached sockets', () => attached.every((socket) => socket.deref() === undefined));
     await collect();
     const push = new Push();
     push.connect(endpoint);
     await push.send('open');
     console.log(pull.closed, String(await pull.recv()));`,
  );
  expect(lines).toEqual(['false open']);
});

test('a poller that is collected leaves its sockets as they were', async () => {
  const lines = await run(
    'pollers',
    `const [pull, push] = [new Pull(), new Push()];
     push.connect(pull.bind('tcp://127.0.0.1:*'));
     const use = async () => {
       const poller = new Poller([pull]);
       await poller.wait({ timeout: 1 }).catch(() => {});
       try { poller.waitSync({ timeout: 1 }); } catch {}
       return new WeakRef(poller);
     };
     const pollers = [];
     for (let n = 0; n < 20; n += 1) pollers.push(await use());
     await collectUntil('pollers', () => pollers.every((poller) => poller.deref() === undefined));
     await collect();
     await push.send('open');
     console.log(String(await pull.recv()));`,
  );
  expect(lines).toEqual(['open']);
});

test('a context that nobody can reach is given back with its sockets', async () => {
  await run(
    'contexts',
    `const use = async () => {
       const context = new Context();
       const [pull, push] = [new Pull({ context }), new Push({ context })];
       push.connect(pull.bind('inproc://x'));
       await push.send('x');
       await pull.recv();
       return new WeakRef(context);
     };
     await warmUp();
     await use();
     await collect(30);
     const before = { threads: count('task'), fds: count('fd') };
     const contexts = [];
     for (let n = 0; n < 10; n += 1) contexts.push(await use());
     const meanwhile = count('task');
     if (meanwhile <= before.threads) throw new Error('expected threads of contexts');
     await collectUntil(
       'contexts: ' + JSON.stringify({ before, meanwhile }),
       () => contexts.every((context) => context.deref() === undefined) &&
         count('task') <= before.threads && count('fd') <= before.fds,
     );`,
  );
});

test('a context lives as long as a socket of it', async () => {
  const lines = await run(
    'a socket and its context',
    `const make = () => new Pull({ context: new Context() });
     const pull = make();
     await collect(20);
     const endpoint = pull.bind('tcp://127.0.0.1:*');
     const receiving = pull.recv();
     await collect(20);
     const push = new Push();
     push.connect(endpoint);
     await push.send('alive');
     console.log(String(await receiving));`,
  );
  expect(lines).toEqual(['alive']);
});
