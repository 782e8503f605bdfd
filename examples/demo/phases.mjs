// What the demo does, one after the other. Each phase receives in this process what the peer process sends, checks
// every message, and counts in `tally`, which the display reads meanwhile.
import { availableParallelism } from 'node:os';
import { Dealer, Pull, Router, serve } from 'zeromq-threads';
import { work } from './work.mjs';

/** Requests that wait for their echo at any time. */
const AHEAD = 100;

export const PHASES = [
  { what: 'PUSH to PULL', size: 16, how: 'batches', run: pullBatches },
  { what: 'PUSH to PULL', size: 16, how: 'for await', run: pullForAwait },
  { what: 'PUSH to PULL', size: 1024, how: 'for await', run: pullForAwait },
  { what: 'PUSH to PULL', size: 65536, how: 'for await', run: pullForAwait },
  { what: `ROUTER, ${AHEAD} in flight`, size: 64, how: 'for await', run: echo },
  { what: 'CPU-heavy requests', size: 64, how: 'one loop', run: workInLoop },
  { what: 'CPU-heavy requests', size: 64, how: 'serve()', run: workInThreads },
];

/** Everything that is ready at a time, without an object for each message. */
async function pullBatches({ size }, peer, tally, timeIsOver) {
  const pull = startSending(peer, size, timeIsOver);
  for await (const batch of pull.batches()) {
    const { data, length } = batch;
    for (let i = 0; i < length; i++) {
      if (batch.size(i) === 0) return finish(peer, pull, tally);
      check(data[batch.offset(i)], batch.size(i), size, tally);
    }
  }
}

/** One message at a time. */
async function pullForAwait({ size }, peer, tally, timeIsOver) {
  const pull = startSending(peer, size, timeIsOver);
  for await (const [frame] of pull) {
    if (frame.length === 0) return finish(peer, pull, tally);
    check(frame[0], frame.length, size, tally);
  }
}

/** The peer has a ROUTER that sends back what this process's DEALER sends. */
async function echo({ size }, peer, tally, timeIsOver) {
  peer.send({ start: 'echo' });
  const { endpoint } = await peer.answer();
  const dealer = new Dealer();
  dealer.connect(endpoint);
  const request = Buffer.alloc(size);
  let sent = 0;
  let over = false;
  timeIsOver.then(() => {
    over = true;
  });
  for (; sent < AHEAD; sent++) await dealer.send(request.fill(sent & 255));
  for await (const [reply] of dealer) {
    check(reply[0], reply.length, size, tally);
    if (!over) await dealer.send(request.fill(sent++ & 255));
    else if (tally.messages === sent) break;
  }
  peer.send({ stop: true });
  return finish(peer, dealer, tally);
}

/** The peer asks, and this process's event loop has the work to do. */
async function workInLoop({ size }, peer, tally, timeIsOver) {
  const router = new Router();
  const answered = startAsking(peer, size, router.bind('tcp://127.0.0.1:*'), timeIsOver);
  answered.finally(() => router.close()).catch(() => {});
  for await (const [client, request] of router) {
    await router.send([client, work(request)]);
    tally.messages += 1;
  }
  compare(await answered, tally);
}

/** The same, and serve() has a thread for each core to do it. */
async function workInThreads({ size }, peer, tally, timeIsOver) {
  const server = await serve({
    bind: 'tcp://127.0.0.1:*',
    handler: new URL('./work.mjs', import.meta.url),
    threads: availableParallelism(),
  });
  let answer;
  try {
    Object.defineProperty(tally, 'messages', { get: () => server.stats().handled });
    answer = await startAsking(peer, size, server.endpoint, timeIsOver);
  } finally {
    // What was handled is counted once its reply has left: it may come first.
    await server.close();
  }
  compare(answer, tally);
}

/** @returns a promise of what the peer says when all its requests were answered, and well */
function startAsking(peer, size, endpoint, timeIsOver) {
  peer.send({ start: 'ask', size, endpoint, ahead: AHEAD });
  timeIsOver.then(() => peer.send({ stop: true }));
  return peer.answer({ anyTime: true });
}

function startSending(peer, size, timeIsOver) {
  const pull = new Pull();
  peer.send({ start: 'push', size, endpoint: pull.bind('tcp://127.0.0.1:*') });
  timeIsOver.then(() => peer.send({ stop: true }));
  return pull;
}

function check(first, length, size, tally) {
  if (length !== size || first !== (tally.messages & 255)) {
    throw new Error(`message ${tally.messages + 1} is not the one that was sent`);
  }
  tally.messages += 1;
}

async function finish(peer, socket, tally) {
  socket.close();
  compare(await peer.answer(), tally);
}

function compare({ sent }, tally) {
  if (sent !== tally.messages) throw new Error(`${sent} messages were sent, ${tally.messages} came`);
}
