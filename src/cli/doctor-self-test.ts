/**
 * The part of `doctor` that uses the addon: a program of its own, since an addon that is no good may end its process.
 * Prints a line of JSON for each finding.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import type * as Package from '../index.js';

export interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** For each step, in milliseconds. */
const LIMIT = 5000;

function report(finding: Finding): void {
  process.stdout.write(`${JSON.stringify(finding)}\n`);
}

async function check(name: string, body: () => Promise<string>): Promise<void> {
  const begun = performance.now();
  try {
    const detail = await body();
    report({ name, ok: true, detail: `${detail}, ${(performance.now() - begun).toFixed(1)} ms` });
  } catch (error) {
    report({ name, ok: false, detail: error instanceof Error ? error.message : String(error) });
  }
}

/** Several frames there, the same ones back. */
async function roundTrip({ Dealer, Router }: typeof Package, endpoint: string): Promise<string> {
  const [router, dealer] = [new Router({ linger: 0 }), new Dealer({ linger: 0 })];
  try {
    dealer.connect(router.bind(endpoint));
    const sent = ['a message', Buffer.alloc(100_000, 7), ''];
    await dealer.send(sent);
    const request = await router.receive({ timeout: LIMIT });
    await router.send(request);
    const reply = await dealer.receive({ timeout: LIMIT });
    const same =
      reply.length === sent.length && reply.every((frame, n) => frame.equals(Buffer.from(sent[n]!)));
    if (!same) throw new Error('what came back is not what was sent');
    return `3 frames there and back over ${endpoint.replace(/:.*/s, '')}`;
  } finally {
    router.close();
    dealer.close();
  }
}

/** A Worker that blocks in libzmq answers through a socket that is shared with it. */
async function throughWorker({ Pair }: typeof Package): Promise<string> {
  const [here, there] = [new Pair({ linger: 0 }), new Pair({ linger: 0 })];
  here.connect(there.bind('inproc://zeromq-threads.doctor'));
  const worker = new Worker(new URL(import.meta.url), { workerData: there.share() });
  const died = new Promise<never>((_, reject) => worker.once('error', reject));
  try {
    await here.send('from the main thread', { timeout: LIMIT });
    const answer = await Promise.race([here.recv('utf8', { timeout: LIMIT }), died]);
    if (answer !== 'FROM THE MAIN THREAD') throw new Error(`the Worker answered '${answer}'`);
    return 'a shared socket, answered by a blocking Worker';
  } finally {
    here.close();
    there.close();
    await worker.terminate();
  }
}

async function inWorker(): Promise<void> {
  const { Socket } = await import('../index.js');
  const socket = Socket.attach(workerData);
  const question = socket.recvSync('utf8', { timeout: LIMIT });
  socket.sendSync(question.toUpperCase());
}

/** @returns KiB */
function writesAtATime({ Push, ZmqError }: typeof Package): number {
  const socket = new Push();
  try {
    return Math.round(Number(socket.getOption('outBatchSize')) / 1024);
  } catch (error) {
    if (error instanceof ZmqError) return 8; // of a libzmq that has no option for it
    throw error;
  } finally {
    socket.close();
  }
}

async function main(): Promise<void> {
  let zmq: typeof Package;
  try {
    zmq = await import('../index.js');
  } catch (error) {
    report({ name: 'load', ok: false, detail: error instanceof Error ? error.message : String(error) });
    return;
  }
  report({ name: 'load', ok: true, detail: 'the addon is loaded' });
  const { capability, version } = zmq;
  report({
    name: 'libzmq',
    ok: true,
    detail: `${version}, which writes ${writesAtATime(zmq)} KiB at a time`,
  });
  const has = Object.entries(capability).filter(([, there]) => there);
  const lacks = Object.entries(capability).filter(([, there]) => !there);
  const names = (list: [string, boolean][]): string => list.map(([name]) => name).join(', ') || 'nothing';
  report({ name: 'capability', ok: true, detail: `has ${names(has)}; built without ${names(lacks)}` });
  await check('inproc', () => roundTrip(zmq, 'inproc://zeromq-threads.doctor.trip'));
  await check('tcp', () => roundTrip(zmq, 'tcp://127.0.0.1:*'));
  if (capability.ipc) {
    const folder = mkdtempSync(join(tmpdir(), 'zmq-'));
    await check('ipc', () => roundTrip(zmq, `ipc://${join(folder, 'doctor')}`));
    rmSync(folder, { recursive: true, force: true });
  }
  await check('worker', () => throughWorker(zmq));
  await check('end', async () => {
    await zmq.context().close({ timeout: LIMIT });
    return 'everything closed';
  });
}

if (isMainThread) await main();
else await inWorker();
