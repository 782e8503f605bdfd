/** Replies that leave together, while there is plenty to do: in order, and whatever becomes of their thread. */
import { readFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type Dealer,
  Dealer as DealerSocket,
  type ServeOptions,
  type Server,
  type ServerStats,
} from 'zeromq-threads';

import { within } from './bounded.js';
import { moduleFile } from './peers/index.js';
import { dealerTo, start, type Told } from './serving.js';

/** Echoes, and obeys: `gate N` waits, in the way of everything else, until gate N is open. */
const gatedModule = (async: '' | 'async'): string => `
  import { workerData } from 'node:worker_threads';
  const gates = new Int32Array(workerData);
  const commands = {
    gate: (number) => { Atomics.wait(gates, Number(number), 0); },
    exit: () => process.exit(1),
    large: () => Buffer.alloc(100_000),
    grow: () => { const hoard = []; for (;;) hoard.push(new Array(100_000).fill(hoard.length)); },
  };
  export default ${async} ([command, argument]) =>
    commands[String(command)]?.(String(argument)) ?? command;`;

/** So few, behind a gate, are kept when what follows them begins, ... */
const BEFORE = 5;
/** ... for so many come after that. */
const BEHIND = 100;

interface Gated {
  readonly server: Server;
  readonly errors: Told[];
  readonly dealer: Dealer;
  open(gate: number): void;
  shut(gate: number): void;
  /** Has the thread stand before gate 0. */
  stand(): Promise<void>;
  send(...request: string[]): Promise<void>;
  /** The next replies, as strings. */
  replies(count: number): Promise<string[]>;
}

/** A server whose one thread stands before gate 0. */
async function gated(kind: '' | 'async', options: Partial<ServeOptions> = {}): Promise<Gated> {
  const gates = new Int32Array(new SharedArrayBuffer(16));
  const open = (gate: number): void => {
    Atomics.store(gates, gate, 1);
    Atomics.notify(gates, gate);
  };
  onTestFinished(() => {
    for (const gate of gates.keys()) open(gate);
  });
  const { server, errors } = await start({
    handler: moduleFile(gatedModule(kind)),
    threads: 1,
    concurrency: 1,
    workerData: gates.buffer,
    ...options,
  });
  const dealer = dealerTo(server.endpoint);
  const gate = {
    server,
    errors,
    dealer,
    open,
    shut: (gate: number) => Atomics.store(gates, gate, 0),
    stand: async () => {
      await gate.send('gate', '0');
      await expect.poll(() => server.stats().threads[0]!.inProgress, { timeout: 20_000 }).toBe(1);
    },
    send: (...request: string[]) => dealer.send(['', ...request]),
    replies: async (count: number) => {
      const came: string[] = [];
      while (came.length < count) {
        const step = `reply ${came.length} of ${count}`;
        const [, reply] = await within(step, dealer.recvMultipart(), 20_000);
        came.push(String(reply));
      }
      return came;
    },
  };
  await gate.stand();
  return gate;
}

const numbers = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, number) => String(from + number));

/** A reply is here before it is counted. */
async function counts(server: Server, wanted: Partial<ServerStats>): Promise<void> {
  await expect.poll(() => server.stats(), { timeout: 20_000 }).toMatchObject(wanted);
}

/** How many connections a listening endpoint has that are not closed on its side, as Linux tells. */
function connectionsOf(endpoint: string): number {
  const port = Number(endpoint.split(':').at(-1)).toString(16).toUpperCase().padStart(4, '0');
  const [established, closeWait] = ['01', '08'];
  return readFileSync('/proc/self/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(`:${port}`) && [established, closeWait].includes(state))
    .length;
}

/** Has the thread do all of it in one go: what comes before, with much behind, and the rest. */
async function inOneGo(gate: Gated, ...fatal: string[]): Promise<void> {
  for (const number of numbers(BEFORE)) await gate.send(number);
  await gate.send(...fatal);
  for (const number of numbers(BEHIND, BEFORE)) await gate.send(number);
  // Not all of it need have been received.
  await expect
    .poll(() => gate.server.stats().threads[0]!.queued, { timeout: 20_000 })
    .toBeGreaterThan(BEFORE * 6);
  gate.open(0);
}

describe.each(['', 'async'] as const)('replies of %s functions', (kind) => {
  test('they do not wait for a handler that takes its time', async () => {
    const gate = await gated(kind);
    await inOneGo(gate, 'gate', '1');
    // All that was done before it, while it waits for somebody to open.
    expect(await gate.replies(1 + BEFORE)).toEqual(['gate', ...numbers(BEFORE)]);
    gate.open(1);
    expect(await gate.replies(1 + BEHIND)).toEqual(['gate', ...numbers(BEHIND, BEFORE)]);
    await counts(gate.server, { handled: 2 + BEFORE + BEHIND, sent: 2 + BEFORE + BEHIND });
  });

  test.each(['exit', 'grow'])('they leave although their thread dies (%s)', async (fatal) => {
    const gate = await gated(kind, { resourceLimits: { maxOldGenerationSizeMb: 32 } });
    await inOneGo(gate, fatal);
    const came = await gate.replies(2 + BEFORE + BEHIND);
    const [first, ...rest] = came;
    expect(first).toBe('gate');
    const failed = rest.filter((reply) => reply.includes('HandlerError'));
    expect(failed).toHaveLength(1);
    expect(rest.filter((reply) => !failed.includes(reply))).toEqual(numbers(BEFORE + BEHIND));
    const lost = gate.errors.filter(({ info }) => info.type !== 'thread');
    expect(lost.map(({ info }) => [info.type, info.outcome, String(info.request?.[0])])).toEqual([
      ['lost', 'failed', fatal],
    ]);
    // What was lost is answered, and so one more is sent.
    await counts(gate.server, { handled: 1 + BEFORE + BEHIND, sent: 2 + BEFORE + BEHIND });
    expect(gate.server.stats().threads[0]!.lost).toBe(1);
  });

  test('they leave although their thread is ended, for a handler that takes too long', async () => {
    const gate = await gated(kind, { timeout: 3000, grace: 500, retries: 0 });
    await inOneGo(gate, 'gate', '1');
    const came = await gate.replies(2 + BEFORE + BEHIND);
    expect(came.filter((reply) => /^\d+$/.test(reply))).toEqual(numbers(BEFORE + BEHIND));
    expect(gate.errors.filter(({ info }) => info.type === 'lost')).toHaveLength(1);
  });

  test('close() with a handler that goes on: they have left, and are not among what is unfinished', async () => {
    const gate = await gated(kind);
    await inOneGo(gate, 'gate', '1');
    expect(await gate.replies(1 + BEFORE)).toEqual(['gate', ...numbers(BEFORE)]);
    const { unfinished } = await within('it closes', gate.server.close({ timeout: 100 }), 20_000);
    const left = gate.errors.filter(({ info }) => info.type === 'close');
    expect(left).toHaveLength(unfinished);
    expect(left.map(({ info }) => String(info.request?.[0])).sort()).toEqual(
      ['gate', ...numbers(unfinished - 1, BEFORE)].sort(),
    );
    expect(gate.server.stats()).toMatchObject({ handled: 1 + BEFORE, sent: 1 + BEFORE });
  });

  test('those to a peer that is gone hold up no others, and are reported', async () => {
    const gate = await gated(kind);
    let asked = 0;
    const gone = async (): Promise<number> => {
      const other = new DealerSocket({ linger: 0 });
      onTestFinished(() => other.close());
      other.connect(gate.server.endpoint);
      for (const number of numbers(BEFORE)) await other.send(['', number]);
      asked += BEFORE;
      await expect.poll(() => gate.server.stats().threads[0]!.queued, { timeout: 20_000 }).toBe(BEFORE);
      other.close();
      // libzmq's I/O thread is done with it; what is received next has the server's socket know.
      if (process.platform === 'linux')
        await expect.poll(() => connectionsOf(gate.server.endpoint!), { timeout: 20_000 }).toBe(1);
      for (const number of numbers(BEHIND)) await gate.send(number);
      gate.open(0);
      const came = await gate.replies(1 + BEHIND);
      expect(came).toEqual(['gate', ...numbers(BEHIND)]);
      return gate.server.stats().dropped;
    };
    // The server's socket may not know yet that it is gone.
    for (let round = 0; (await gone()) === 0; round += 1) {
      expect(round, 'rounds in which no peer was found gone').toBeLessThan(20);
      await counts(gate.server, { inFlight: 0 });
      gate.shut(0);
      // Before the other's requests, which come over a connection of their own.
      await gate.stand();
    }
    await counts(gate.server, { inFlight: 0 });
    const { dropped, sent, handled } = gate.server.stats();
    expect(sent + dropped).toBe(handled);
    expect(dropped).toBeLessThanOrEqual(asked);
    await expect.poll(() => gate.errors.length, { timeout: 20_000 }).toBe(dropped);
    for (const { error, info } of gate.errors) {
      expect(info).toMatchObject({ type: 'reply' });
      expect(error).toMatchObject({ code: 'EHOSTUNREACH' });
    }
  });
});

/** Answers of every kind, by the request's number. */
const KINDS = `
  const kinds = [
    (text) => text,
    (text) => String(text),
    (text) => Buffer.from(text),
    (text) => Number(text),
    () => undefined,
    (text) => { throw new RangeError(text); },
    () => null,
    (text) => String(text),
    (text) => [],
    (text) => Object.defineProperty([text, text], 1, { get() { throw new SyntaxError(text); } }),
    (text) => new Proxy([text], { get() { throw new SyntaxError(text); } }),
    (text) => [text, '', 'ü€😀', Number(text), null],
    (text) => new DataView(new Uint8Array(text).buffer),
    (text) => new Uint8Array(text).buffer,
    (text) => text + 'x'.repeat(5000),
    (text) => Buffer.alloc(5000, text),
    (text) => '€'.repeat(1300) + text,
    (text) => Array.from({ length: 100 }, () => text),
    (text) => ({ not: 'sendable' }),
    async (text) => text,
  ];
  export default ([text]) => kinds[Number(text) % kinds.length](text);`;

function expected(number: number): (frames: string[]) => void {
  const text = String(number);
  const failed = (name: string) => (frames: string[]) => {
    expect(JSON.parse(frames[0]!)).toMatchObject({ error: { name } });
  };
  const is =
    (...wanted: string[]) =>
    (frames: string[]) =>
      expect(frames).toEqual(wanted);
  return [
    is(text),
    is(text),
    is(text),
    is(text),
    is(''),
    failed('RangeError'),
    is(''),
    is(text),
    failed('ArgumentError'),
    failed('SyntaxError'),
    failed('SyntaxError'),
    is(text, '', 'ü€😀', text, ''),
    is(text),
    is(text),
    is(text + 'x'.repeat(5000)),
    is(Buffer.alloc(5000, text).toString()),
    is('€'.repeat(1300) + text),
    is(...Array.from({ length: 100 }, () => text)),
    failed('ArgumentError'),
    is(text),
  ][number % 20]!;
}

test.each([1, 400])('replies of all kinds, from one thread, come in order: %i in flight', async (window) => {
  const { server } = await start({ handler: moduleFile(KINDS), threads: 1, concurrency: 1 });
  const dealer = dealerTo(server.endpoint);
  const count = 2000;
  let asked = 0;
  for (let number = 0; number < count; number += 1) {
    for (; asked < Math.min(count, number + window); asked += 1) await dealer.send(['', String(asked)]);
    const [, ...frames] = await within(`reply ${number}`, dealer.recvMultipart(), 20_000);
    expected(number)(frames.map(String));
  }
  await counts(server, { handled: count, sent: count });
});

test('a reply is what the handler returned, whatever it does with that memory afterwards', async () => {
  const { server } = await start({
    handler: moduleFile(`
      const memory = Buffer.alloc(16);
      export default ([text]) => memory.fill(text);`),
    threads: 1,
  });
  const dealer = dealerTo(server.endpoint);
  for (const number of numbers(1000)) await dealer.send(['', number]);
  for (const number of numbers(1000)) {
    const [, reply] = await within(`reply ${number}`, dealer.recvMultipart(), 20_000);
    expect(String(reply)).toBe(Buffer.alloc(16, number).toString());
  }
});

test.each([3000, 5000])(
  'those that find no room come later, in order, and hold up no other peer: %i bytes',
  async (size) => {
    const { server, errors } = await start({
      // They are what they were when the handler returned, although it uses that memory again.
      handler: moduleFile(`
      const memory = Buffer.alloc(${size});
      export default ([text]) => memory.fill(' ').fill(text, 0, text.length);`),
      threads: 1,
      replyTimeout: -1,
      maxInFlight: 5000,
      socketOptions: { sendHighWaterMark: 2, sendBufferSize: 4096 },
    });
    const deaf = new DealerSocket({ receiveHighWaterMark: 1, receiveBufferSize: 4096, linger: 0 });
    onTestFinished(() => deaf.close());
    deaf.connect(server.endpoint);
    const count = 3000;
    for (const number of numbers(count)) await deaf.send(['', number]);
    await expect.poll(() => server.stats().inFlight, { timeout: 20_000 }).toBeGreaterThan(100);
    const dealer = dealerTo(server.endpoint);
    for (const number of numbers(500)) await dealer.send(['', number]);
    for (const number of numbers(500)) {
      const [, reply] = await within(`reply ${number}`, dealer.recvMultipart(), 20_000);
      expect(String(reply).trim()).toBe(number);
    }
    for (const number of numbers(count)) {
      const [, reply] = await within(`reply ${number} to the deaf`, deaf.recvMultipart(), 20_000);
      expect(String(reply).trim()).toBe(number);
    }
    expect(errors).toEqual([]);
  },
);

test('peers that have little room, and read all the time, have them in order', async () => {
  const { server, errors } = await start({ threads: 1, socketOptions: { sendHighWaterMark: 8 } });
  const count = 30_000;
  const inOrder = async (): Promise<void> => {
    const dealer = dealerTo(server.endpoint);
    const asked = (async () => {
      for (const number of numbers(count)) await dealer.send(['', number]);
    })();
    for (const number of numbers(count)) {
      const [, reply] = await within(`reply ${number}`, dealer.recvMultipart(), 20_000);
      expect(String(reply)).toBe(number);
    }
    await asked;
  };
  await Promise.all([inOrder(), inOrder()]);
  expect(errors).toEqual([]);
});

/** Whether replies to others are kept, of a thread that replies to nobody else just now. */
async function keepsReplies(gate: Gated): Promise<boolean> {
  gate.shut(0);
  gate.shut(1);
  await gate.send('gate', '0');
  const before = gate.server.stats().handled;
  await inOneGo(gate, 'gate', '1');
  await gate.replies(1 + BEFORE);
  // Those that have left are done with when the thread comes to it, which stands before a gate.
  const handled = gate.server.stats().handled - before;
  gate.open(1);
  await gate.replies(1 + BEHIND);
  return handled < BEFORE;
}

test.each([
  ['is gone, and was not waited for any longer', 100],
  ['is waited for', -1],
])('those to others leave together while a peer that does not read %s', async (_, replyTimeout) => {
  const gate = await gated('', {
    replyTimeout,
    maxInFlight: 5000,
    socketOptions: { sendHighWaterMark: 20, sendBufferSize: 4096 },
  });
  const deaf = new DealerSocket({ receiveHighWaterMark: 1, receiveBufferSize: 4096, linger: 0 });
  onTestFinished(() => deaf.close());
  deaf.connect(gate.server.endpoint);
  gate.open(0);
  expect(await gate.replies(1)).toEqual(['gate']);
  for (let n = 0; n < 200; n += 1) await deaf.send(['', 'large']);
  if (replyTimeout < 0) {
    await expect.poll(() => gate.server.stats().inFlight, { timeout: 20_000 }).toBeGreaterThan(100);
  } else {
    await counts(gate.server, { handled: 201 });
    expect(gate.server.stats().dropped).toBeGreaterThan(0);
    deaf.close();
  }
  // They are not kept for long, if something holds the thread up.
  for (let round = 0; !(await keepsReplies(gate)); round += 1) {
    expect(round, 'rounds in which none were kept').toBeLessThan(20);
  }
});
