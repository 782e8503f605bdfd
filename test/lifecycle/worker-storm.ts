/** Many Workers, each busy with sockets in another way, that end at random moments. Short and long runs share this. */
import { expect } from 'vitest';

import { moduleFile, startNode } from '../peers/index.js';

const script = `
import { readdirSync, readlinkSync, writeSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Context, Dealer, Message, Poller, Publisher, Pull, Push, Router, Socket, Subscriber } from 'zeromq-threads';

const say = (line) => writeSync(1, line + '\\n');
const ignore = () => {};
const turn = () => new Promise(setImmediate);

const activities = {
  async traffic() {
    const [pull, push] = [new Pull(), new Push({ linger: 0 })];
    push.connect(pull.bind('tcp://127.0.0.1:*'));
    void (async () => { for (let n = 0; ; n += 1) await push.send(['abc', String(n)]); })();
    for await (const frames of pull) globalThis.last = frames;
  },
  async batches() {
    const context = new Context();
    const [pull, push] = [new Pull({ context }), new Push({ context, linger: 0 })];
    push.connect(pull.bind('inproc://batches'));
    void (async () => { for (let n = 0; ; n += 1) await push.send(Buffer.alloc(n % 3000)); })();
    for await (const batch of pull.batches()) if (batch.length % 7 === 0) globalThis.last = batch.retain();
  },
  async largeMessages() {
    const [dealer, other] = [new Dealer(), new Dealer({ linger: 0 })];
    other.connect(dealer.bind('tcp://127.0.0.1:*'));
    void (async () => {
      for (;;) {
        const message = Message.alloc(200_000);
        await other.send(message);
        await message.freed;
      }
    })();
    for (;;) globalThis.last = await dealer.recv();
  },
  async blocking() {
    const [pull, push] = [new Pull(), new Push({ linger: 0 })];
    push.connect(pull.bind('tcp://127.0.0.1:*'));
    for (let n = 0; ; n += 1) {
      if (n % 3 !== 0) push.sendSync('x');
      try { pull.recvSync({ timeout: 3 }); } catch {}
    }
  },
  async blockedForEver() {
    new Pull().recvSync();
  },
  async pollers() {
    const sockets = Array.from({ length: 5 }, () => new Pull());
    const senders = sockets.map((socket) => {
      const push = new Push({ linger: 0 });
      push.connect(socket.bind('tcp://127.0.0.1:*'));
      return push;
    });
    for (let n = 0; ; n += 1) {
      const poller = new Poller(sockets);
      void senders[n % 5].send('x');
      const { socket } = n % 2 === 0 ? await poller.wait() : poller.waitSync();
      socket.tryRecv();
      if (n % 3 !== 0) poller.close();
    }
  },
  async churn() {
    for (let n = 0; ; n += 1) {
      const context = n % 4 === 0 ? new Context() : undefined;
      const socket = new Router({ context });
      socket.bind('tcp://127.0.0.1:*');
      void socket.recv().catch(ignore);
      const events = n % 5 === 0 ? socket.events : undefined;
      void (async () => { for await (const event of events ?? []) globalThis.last = event; })().catch(ignore);
      await turn();
      if (n % 3 !== 0) socket.close();
      if (context !== undefined && n % 8 === 0) await context.close({ timeout: 1000 });
    }
  },
  async sharedReceive({ handle }) {
    const socket = Socket.attach(handle);
    for (;;) {
      const frames = await socket.recvMultipart();
      await socket.send(frames);
    }
  },
  async sharedBlocking({ handle }) {
    const socket = Socket.attach(handle);
    for (;;) socket.sendSync(socket.recvMultipartSync());
  },
  async unsent() {
    for (let n = 0; ; n += 1) {
      const push = new Push({ linger: n % 2 === 0 ? 0 : 20 });
      push.connect('tcp://127.0.0.1:9');
      void push.send(new Uint8Array(new SharedArrayBuffer(100_000))).catch(ignore);
      for (let m = 0; m < 100; m += 1) void push.send('x').catch(ignore);
      await turn();
      push.close();
    }
  },
};

if (!isMainThread) {
  const { activity, life } = workerData;
  if (life.how === 'ends') setTimeout(() => process.exit(0), life.after);
  if (life.how === 'throws') setTimeout(() => { throw new Error('on purpose'); }, life.after);
  parentPort.postMessage('begins');
  await activities[activity](workerData);
} else {
  const { rounds, workers, seed } = JSON.parse(process.argv[2]);
  let state = seed;
  const random = (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % below;
  };
  // Not counted: modules that Node.js was reading when their Worker was terminated. It forgets to close them.
  const isFile = (fd) => {
    try {
      return readlinkSync('/proc/self/fd/' + fd).endsWith('js');
    } catch {
      return true; // the descriptor of the listing itself
    }
  };
  const counts = () => ({
    threads: readdirSync('/proc/self/task').length,
    fds: readdirSync('/proc/self/fd').filter((fd) => !isFile(fd)).length,
  });
  const names = Object.keys(activities);
  const ways = ['terminate', 'terminate', 'ends', 'throws'];
  let turns = 0;

  const dealer = new Dealer({ linger: 0 });
  const shared = new Dealer({ linger: 0 });
  dealer.connect(shared.bind('tcp://127.0.0.1:*'));
  let echoes = 0;
  void (async () => { for await (const _ of dealer) echoes += 1; })().catch(ignore);
  void (async () => {
    while (!dealer.closed) {
      // Not one that waits for room: that has a descriptor watched from the first time on, which may come late.
      dealer.trySend(['hello', 'world']);
      await turn();
    }
  })();
  const handle = shared.share();

  async function round() {
    await Promise.all(Array.from({ length: workers }, async () => {
      const activity = names[turns++ % names.length];
      const life = { how: ways[random(ways.length)], after: random(60) };
      const worker = new Worker(new URL(import.meta.url), { workerData: { activity, life, handle }, stderr: true });
      const thrown = [];
      worker.on('error', (error) => thrown.push(error));
      const exited = new Promise((resolve) => worker.on('exit', resolve));
      if (life.how === 'terminate' || activity.includes('locking') || activity.includes('blocked')) {
        // Of its beginning, too: before anything is loaded.
        if (life.after > 10) await new Promise((resolve) => { worker.once('message', resolve); worker.once('exit', resolve); });
        setTimeout(() => void worker.terminate(), life.after);
      }
      await exited;
      for (const { message, stack } of thrown) if (message !== 'on purpose') say('unexpected in ' + activity + ': ' + stack);
    }));
  }

  for (let n = 0; n < 2; n += 1) await round(); // so that everything is loaded
  // Threads of libzmq and lingering sockets end in the background: the baseline is the least there is for a while.
  const settled = async (goal, tries) => {
    let least = counts();
    for (let n = 0; n < tries; n += 1) {
      const now = counts();
      if (goal !== undefined && now.threads <= goal.threads && now.fds <= goal.fds) return now;
      least = { threads: Math.min(least.threads, now.threads), fds: Math.min(least.fds, now.fds) };
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    return least;
  };
  const before = await settled(undefined, 40);
  for (let n = 0; n < rounds; n += 1) {
    await round();
    say('round ' + n);
  }
  const after = await settled(before, 400);
  say(JSON.stringify({ before, after, echoes }));
  dealer.close();
  shared.close();
}
`;

/** Everything is as it was when the Workers have ended: the process lives, and has its threads and descriptors back. */
export async function storm(rounds: number, seed: number, workers = 8): Promise<void> {
  const name = `${rounds} rounds of ${workers} Workers, seed ${seed}`;
  const child = startNode(moduleFile(script), [JSON.stringify({ rounds, workers, seed })], { step: name });
  child.endInput();
  for (let round = 0; round < rounds; round += 1) {
    await child.waitFor(`round ${round}: all Workers have ended`, 20_000, ({ lines }) =>
      lines.find((line) => line === `round ${round}`),
    );
  }
  const { code, signal } = await child.waitForExit('the process is gone', 20_000);
  expect({ code, signal, stderr: child.stderr }, name).toEqual({ code: 0, signal: null, stderr: '' });
  const unexpected = child.lines.filter((line) => line.startsWith('unexpected'));
  expect(unexpected, name).toEqual([]);
  const { before, after, echoes } = JSON.parse(child.lines.at(-1)!);
  expect(echoes).toBeGreaterThan(0);
  expect(after.threads, `${name}: threads`).toBeLessThanOrEqual(before.threads);
  expect(after.fds, `${name}: file descriptors`).toBeLessThanOrEqual(before.fds);
}
