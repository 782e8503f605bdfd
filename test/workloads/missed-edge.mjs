/**
 * Hunts for lost wake-ups: two DEALERs stream to each other, from one or several threads each, with random pauses
 * and in all the ways there are to send and to receive. Every message must arrive once and in its sender's order, and
 * never may nothing at all arrive for a second.
 *
 *   node test/workloads/missed-edge.mjs SCENARIO TRANSPORT MESSAGES [SEED [MARK [WINDOW]]]
 *
 * MARK is the high-water mark of both ends (0: the default). WINDOW is how many messages each end lets be under way
 * (0: any number); with few, nothing that comes later can make up for an event that was lost.
 *
 * Prints one line of JSON; a fault ends the process with status 1, a stall kills it, and both say what went on.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Dealer, Message, Poller, Socket, SocketClosedError, TimeoutError } from 'zeromq-threads';

/**
 * Who sends and receives at each end. The first of an end opens the socket, the others attach to it. An `async` one
 * does both in turn; what blocks its thread does one of the two, so that ends which fill each other up go on.
 */
const SCENARIOS = {
  // Both ends in one thread.
  'one-thread': { ends: [['main:async'], ['main:async']] },
  // An end in each of two threads.
  'two-threads': { ends: [['main:async'], ['worker:async']] },
  // One end's socket shared by two threads, the other's by three.
  shared: {
    ends: [
      ['main:async', 'worker:async'],
      ['worker:async', 'main:receive', 'worker:async'],
    ],
  },
  // Several threads send while the I/O worker, for the thread that receives, mostly sleeps.
  senders: { ends: [['main:receive', 'worker:send', 'worker:sendSync', 'worker:send'], ['main:async']] },
  // Blocking calls at both ends.
  blocking: {
    ends: [
      ['main:async', 'worker:sendSync', 'worker:receiveSync'],
      ['worker:async', 'worker:sendSync', 'worker:receiveSync'],
    ],
  },
};
const STALL_MS = Number(process.env.ZMQT_STALL_MS ?? 1000);
const CLOSE_MS = 10 * STALL_MS;
const TICK_MS = 50;
const HEADER_BYTES = 8;
const WORDS_PER_ACTOR = 4; // sent, received, what it sends by, what it receives by
const DONE = 0;
const RECEIVED = 1;
const WORST_GAP = 2;
const CLOSED = 3;
const SENT_BY_END = 4;
const RECEIVED_BY_END = 6;
const READY = 8;
const STARTED = 9;
const FIRST_ACTOR = 10;

const SEND_WAYS = ['-', 'await', 'burst', 'try', 'cancel', 'sync'];
const RECEIVE_WAYS =
  '-,recv,several,multipart,iterate,batches,try,poll,timeout,abort,sync,syncTimeout,pollSync'.split(',');

/** Small, fast, and the same for the same seed. */
function randomFrom(seed) {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const never = new Int32Array(new SharedArrayBuffer(4));

async function pause(random) {
  switch (random(6)) {
    case 0:
      await new Promise((resolve) => setTimeout(resolve, random(3)));
      return;
    case 1:
    case 2:
      await new Promise(setImmediate);
      return;
    case 3:
      for (let turns = random(2000); turns > 0; turns -= 1) Atomics.load(never, 0);
      return;
    default:
      await undefined;
  }
}

function pauseSync(random) {
  if (random(3) === 0) Atomics.wait(never, 0, 0, random(3));
  else for (let turns = random(2000); turns > 0; turns -= 1) Atomics.load(never, 0);
}

/** One thread's use of one end's socket. */
class Actor {
  constructor({ id, end, kind, messages, peers, total, seed, words, window }, socket) {
    this.id = id;
    this.end = end;
    this.kind = kind;
    this.messages = messages;
    this.total = total;
    this.words = words;
    this.window = window;
    this.at = FIRST_ACTOR + id * WORDS_PER_ACTOR;
    this.random = randomFrom(seed);
    this.socket = socket;
    this.last = new Map(peers.map((peer) => [peer, -1]));
    this.sequence = 0;
  }

  async run() {
    // Together with all others: who comes late would find the sockets closed.
    Atomics.add(this.words, READY, 1);
    Atomics.notify(this.words, READY);
    await Atomics.waitAsync(this.words, STARTED, 0).value;
    const jobs = [];
    if (this.kind === 'async' || this.kind === 'send') jobs.push(this.send());
    if (this.kind === 'async' || this.kind === 'receive') jobs.push(this.receive());
    if (this.kind === 'sendSync') this.sendSync();
    if (this.kind === 'receiveSync') this.receiveSync();
    await Promise.all(jobs);
  }

  /** What is to be sent next: its sender and number, and sometimes more bytes than are copied. */
  compose() {
    const kind = this.random(1000);
    const size = kind === 0 ? 100_000 : kind < 4 ? 20_000 : HEADER_BYTES + this.random(100);
    const message = size >= 16384 ? Message.alloc(size) : Buffer.alloc(size);
    message[size - 1] = this.sequence;
    message.writeUInt32LE(this.id, 0);
    message.writeUInt32LE(this.sequence, 4);
    return message;
  }

  /** Whether this end may send another message. */
  mayGo() {
    if (this.window === 0) return true;
    const sent = Atomics.add(this.words, SENT_BY_END + this.end, 1);
    if (sent - Atomics.load(this.words, RECEIVED_BY_END + 1 - this.end) < this.window) return true;
    Atomics.sub(this.words, SENT_BY_END + this.end, 1);
    return false;
  }

  async room() {
    while (!this.mayGo()) await pause(this.random);
  }

  sent() {
    this.sequence += 1;
    Atomics.add(this.words, this.at, 1);
  }

  take(message) {
    const sender = message.readUInt32LE(0);
    const number = message.readUInt32LE(4);
    const before = this.last.get(sender);
    assert.ok(
      before !== undefined,
      `actor ${this.id}: a message from ${sender}, which is not at the other end`,
    );
    assert.ok(number > before, `actor ${this.id}: message ${number} of ${sender} after ${before}`);
    if (message.length > HEADER_BYTES) assert.equal(message[message.length - 1], number & 255, 'last byte');
    this.last.set(sender, number);
    Atomics.add(this.words, this.at + 1, 1);
    Atomics.add(this.words, RECEIVED_BY_END + this.end, 1);
    if (Atomics.add(this.words, RECEIVED, 1) + 1 === this.total) {
      Atomics.store(this.words, DONE, 1);
      Atomics.notify(this.words, DONE);
    }
  }

  get done() {
    return Atomics.load(this.words, DONE) === 1;
  }

  /** Closing ends everybody, and comes when all messages have arrived. */
  unlessClosed(error) {
    if (error instanceof SocketClosedError && this.done) return;
    throw error;
  }

  async send() {
    try {
      while (this.sequence < this.messages) {
        const way = 1 + this.random(4);
        Atomics.store(this.words, this.at + 2, way);
        const end = Math.min(this.messages, this.sequence + 1 + this.random(100));
        await this[`send_${SEND_WAYS[way]}`](end);
        await pause(this.random);
      }
    } catch (error) {
      this.unlessClosed(error);
    }
    Atomics.store(this.words, this.at + 2, 0);
  }

  async send_await(end) {
    while (this.sequence < end) {
      await this.room();
      await this.socket.send(this.compose());
      this.sent();
    }
  }

  async send_burst(end) {
    const sends = [];
    while (this.sequence < end) {
      await this.room();
      sends.push(this.socket.send(this.compose()));
      this.sent();
    }
    await Promise.all(sends);
  }

  async send_try(end) {
    while (this.sequence < end) {
      await this.room();
      while (!this.socket.trySend(this.compose())) await pause(this.random);
      this.sent();
    }
  }

  async send_cancel(end) {
    while (this.sequence < end) {
      await this.room();
      const number = this.sequence;
      while (this.sequence === number) {
        try {
          await this.socket.send(this.compose(), { timeout: this.random(2) });
          this.sent();
        } catch (error) {
          if (!(error instanceof TimeoutError)) throw error;
        }
      }
    }
  }

  sendSync() {
    try {
      Atomics.store(this.words, this.at + 2, SEND_WAYS.indexOf('sync'));
      while (this.sequence < this.messages) {
        for (let count = this.random(100); count >= 0 && this.sequence < this.messages; count -= 1) {
          while (!this.mayGo()) pauseSync(this.random);
          this.socket.sendSync(this.compose());
          this.sent();
        }
        pauseSync(this.random);
      }
    } catch (error) {
      this.unlessClosed(error);
    }
    Atomics.store(this.words, this.at + 2, 0);
  }

  async receive() {
    try {
      for (;;) {
        const way = 1 + this.random(9);
        Atomics.store(this.words, this.at + 3, way);
        await this[`receive_${RECEIVE_WAYS[way]}`](1 + this.random(100));
        if (this.socket.closed && this.done) break;
        if (this.random(4) === 0) await pause(this.random);
      }
    } catch (error) {
      this.unlessClosed(error);
    }
    Atomics.store(this.words, this.at + 3, 0);
  }

  async receive_recv(count) {
    for (; count > 0; count -= 1) this.take(await this.socket.recv());
  }

  async receive_several(count) {
    for (; count > 0; count -= 4) {
      const wanted = Array.from({ length: 4 }, () => this.socket.recv());
      const settled = wanted.map((one) => one.then((message) => this.take(message)));
      const failed = (await Promise.allSettled(settled)).find(({ status }) => status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    }
  }

  async receive_multipart(count) {
    for (; count > 0; count -= 1) this.take((await this.socket.recvMultipart())[0]);
  }

  async receive_iterate(count) {
    for await (const [message] of this.socket) {
      this.take(message);
      count -= 1;
      if (count <= 0) break;
    }
  }

  async receive_batches(count) {
    for await (const batch of this.socket.batches({ max: 1 + this.random(100) })) {
      for (const [message] of batch) this.take(message);
      count -= batch.length;
      if (count <= 0) break;
    }
  }

  async receive_try(count) {
    for (; count > 0; count -= 1) {
      const message = this.socket.tryRecv();
      if (message === undefined) await new Promise(setImmediate);
      else this.take(message);
    }
  }

  async receive_poll(count) {
    const writable = this.random(3) === 0;
    if (this.socket.closed) throw new SocketClosedError(); // in the pause before: no poller takes it any more
    await Poller.use([{ socket: this.socket, readable: true, writable }], async (poller) => {
      for (; count > 0; count -= 1) {
        try {
          await poller.wait();
        } catch (error) {
          if (this.socket.closed) throw new SocketClosedError();
          throw error;
        }
        for (let message = this.socket.tryRecv(); message !== undefined; message = this.socket.tryRecv()) {
          this.take(message);
          count -= 1;
        }
        if (writable) await new Promise(setImmediate);
      }
    });
  }

  async receive_timeout(count) {
    for (; count > 0; count -= 1) {
      try {
        this.take(await this.socket.recv({ timeout: this.random(3) }));
      } catch (error) {
        if (!(error instanceof TimeoutError)) throw error;
      }
    }
  }

  async receive_abort(count) {
    for (; count > 0; count -= 1) {
      const controller = new AbortController();
      const received = this.socket.recv({ signal: controller.signal });
      if (this.random(2) === 0) setImmediate(() => controller.abort());
      else setTimeout(() => controller.abort(), this.random(2));
      try {
        this.take(await received);
      } catch (error) {
        if (error !== controller.signal.reason) throw error;
      }
    }
  }

  receiveSync() {
    const poller = new Poller([this.socket]);
    try {
      for (;;) {
        const way = RECEIVE_WAYS.indexOf('sync') + this.random(3);
        Atomics.store(this.words, this.at + 3, way);
        for (let count = this.random(100); count >= 0; count -= 1)
          this[`receive_${RECEIVE_WAYS[way]}`](poller);
        pauseSync(this.random);
      }
    } catch (error) {
      this.unlessClosed(error instanceof Error && this.socket.closed ? new SocketClosedError() : error);
    }
    Atomics.store(this.words, this.at + 3, 0);
  }

  receive_sync() {
    this.take(this.socket.recvSync());
  }

  receive_syncTimeout() {
    try {
      this.take(this.socket.recvSync({ timeout: this.random(3) }));
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
    }
  }

  receive_pollSync(poller) {
    poller.waitSync();
    const message = this.socket.tryRecv();
    if (message !== undefined) this.take(message);
  }
}

/** Says what everybody was at, and ends the process, when nothing has arrived for too long. */
function watch({ words, actors }) {
  let before = -1;
  let ticks = 0;
  while (Atomics.load(words, CLOSED) === 0) {
    Atomics.wait(never, 0, 0, TICK_MS);
    const now = words
      .subarray(FIRST_ACTOR)
      .reduce((sum, _, index) => (sum + Atomics.load(words, FIRST_ACTOR + index)) | 0, 0);
    ticks = now === before ? ticks + 1 : 0;
    before = now;
    const done = Atomics.load(words, DONE) === 1;
    if (!done) Atomics.store(words, WORST_GAP, Math.max(words[WORST_GAP], ticks * TICK_MS));
    if (ticks * TICK_MS < (done ? CLOSE_MS : STALL_MS)) continue;
    const states = actors.map(({ id, end, kind, messages }) => {
      const [sent, received, sendBy, receiveBy] = words.subarray(FIRST_ACTOR + id * WORDS_PER_ACTOR);
      return `  ${id} (end ${end}, ${kind}): sent ${sent} of ${messages} (${SEND_WAYS[sendBy]}), received ${received} (${RECEIVE_WAYS[receiveBy]})`;
    });
    const what = done ? 'not all have ended' : 'nothing happened';
    writeSync(
      2,
      `${what} for ${ticks * TICK_MS} ms, received ${words[RECEIVED]} in all\n${states.join('\n')}\n`,
    );
    process.kill(process.pid, 'SIGKILL');
  }
}

function optionsOf(mark) {
  return { linger: 0, ...(mark > 0 && { sendHighWaterMark: mark, receiveHighWaterMark: mark }) };
}

async function actInWorker() {
  const { actor, open, handle } = workerData;
  if (actor === undefined) {
    watch(workerData);
    return;
  }
  const socket = handle === undefined ? new Dealer(optionsOf(open.mark)) : Socket.attach(handle);
  if (handle === undefined) {
    parentPort.on('message', () => socket.close());
    parentPort.unref();
    if (open.bind) parentPort.postMessage({ endpoint: socket.bind(open.endpoint) });
    else socket.connect(open.endpoint);
    parentPort.postMessage({ handle: open.shared ? socket.share() : undefined });
  }
  const keeper = setInterval(() => {}, 1000);
  await new Actor(actor, socket).run();
  clearInterval(keeper);
}

function startWorker(data, name) {
  const worker = new Worker(new URL(import.meta.url), { workerData: data, name });
  worker.on('error', (error) => {
    writeSync(2, `${name}: ${error.stack}\n`);
    process.exit(1);
  });
  const exited = new Promise((resolve) => {
    worker.on('exit', resolve);
  });
  return { worker, exited };
}

async function main(scenario, transport, messages, { seed, mark, window }) {
  const ends = SCENARIOS[scenario].ends;
  const sends = (kind) => /^(async|send)/.test(kind);
  const actors = ends.flatMap((places, end) => places.map((place) => ({ end, place })));
  const total = actors.filter(({ place }) => sends(place.split(':')[1])).length;
  const words = new Int32Array(new SharedArrayBuffer((FIRST_ACTOR + actors.length * WORDS_PER_ACTOR) * 4));
  const each = Math.ceil(messages / total);
  actors.forEach((actor, id) => {
    const [thread, kind] = actor.place.split(':');
    const peers = actors.flatMap((other, peer) => (other.end === actor.end ? [] : [peer]));
    Object.assign(actor, { id, kind, thread, peers, words, window, seed: seed + id, total: each * total });
    actor.messages = sends(kind) ? each : 0;
  });
  const folder = mkdtempSync(path.join(tmpdir(), 'zmq-'));
  const inproc = transport === 'inproc' ? `inproc://missed-edge` : undefined;
  let endpoint = inproc ?? (transport === 'ipc' ? `ipc://${path.join(folder, 's')}` : 'tcp://127.0.0.1:*');

  const running = [];
  const closers = [];
  for (const [end, places] of ends.entries()) {
    let handle;
    for (const actor of actors.filter((one) => one.end === end)) {
      if (actor.thread === 'main') {
        const socket = handle === undefined ? new Dealer(optionsOf(mark)) : Socket.attach(handle);
        if (handle === undefined) {
          if (end === 0) endpoint = socket.bind(endpoint);
          else socket.connect(endpoint);
          if (places.length > 1) handle = socket.share();
          closers.push(() => socket.close());
        }
        running.push(() => new Actor(actor, socket).run());
        continue;
      }
      const open = { mark, bind: end === 0, endpoint, shared: places.length > 1 };
      const { worker, exited } = startWorker({ actor, open, handle }, `actor ${actor.id}`);
      running.push(() => exited);
      if (handle !== undefined) continue;
      closers.push(() => worker.postMessage('close'));
      const answers = [];
      const opened = new Promise((resolve) => {
        worker.on('message', (answer) => {
          answers.push(answer);
          if ('handle' in answer) resolve();
        });
      });
      await opened;
      endpoint = answers[0].endpoint ?? endpoint;
      handle = answers.at(-1).handle;
    }
  }
  // A pending waitAsync does not keep the process.
  const keeper = setInterval(() => {}, 1000);
  const ended = running.map((start) => start());
  for (let ready = 0; ready < actors.length; ready = Atomics.load(words, READY)) {
    await Atomics.waitAsync(words, READY, ready).value;
  }
  const begun = performance.now();
  const plain = actors.map(({ id, end, kind, messages: count }) => ({ id, end, kind, messages: count }));
  const watchdog = startWorker({ words, actors: plain }, 'watchdog');
  Atomics.store(words, STARTED, 1);
  Atomics.notify(words, STARTED);
  const waiting = Atomics.waitAsync(words, DONE, 0);
  await Promise.race([waiting.value, Promise.all(ended)]);
  const ms = Math.round(performance.now() - begun);
  for (const close of closers) close();
  await Promise.all(ended);
  Atomics.store(words, CLOSED, 1);
  const closeMs = Math.round(performance.now() - begun - ms);
  await watchdog.exited;
  clearInterval(keeper);
  rmSync(folder, { recursive: true, force: true });
  assert.equal(Atomics.load(words, RECEIVED), each * total, 'messages received');
  const result = {
    scenario,
    transport,
    seed,
    window,
    mark,
    messages: each * total,
    ms,
    closeMs,
    worstGapMs: words[WORST_GAP],
  };
  console.log(JSON.stringify(result));
}

if (isMainThread) {
  const [scenario, transport, ...numbers] = process.argv.slice(2);
  const [messages, seed = 1, mark = 0, window = 0] = numbers.map(Number);
  await main(scenario, transport, messages, { seed, mark, window });
} else {
  await actInWorker();
}
