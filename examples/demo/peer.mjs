// The demo's other process: sends, or echoes, as it is told over the channel to its parent.
import { Dealer, Push, Router } from 'zeromq-threads';
import { makePayloads } from './payloads.mjs';
import { work } from './work.mjs';

let stopped = false;

/** Sends until told to stop, then an empty message. */
async function push({ endpoint, size }) {
  const payloads = makePayloads(size);
  const socket = new Push();
  socket.connect(endpoint);
  let sent = 0;
  while (!stopped) {
    await socket.send(payloads[sent & 255]);
    sent += 1;
  }
  await socket.send('');
  socket.close();
  return sent;
}

/** Sends everything back to where it came from, until told to stop. */
async function echo() {
  const socket = new Router();
  process.send({ endpoint: socket.bind('tcp://127.0.0.1:*') });
  process.once('message', () => socket.close());
  let sent = 0;
  for await (const frames of socket) {
    await socket.send(frames);
    sent += 1;
  }
  return sent;
}

/** Has so many requests under way until told to stop, and checks that each is answered with the right result. */
async function ask({ endpoint, size, ahead }) {
  const requests = makePayloads(size);
  const expected = requests.map(work).map(String);
  const wanted = new Map();
  for (const result of expected) wanted.set(result, 0);
  const socket = new Dealer();
  socket.connect(endpoint);
  let sent = 0;
  let answered = 0;
  const send = async () => {
    const which = sent++ & 255;
    wanted.set(expected[which], wanted.get(expected[which]) + 1);
    await socket.send(requests[which]);
  };
  while (sent < ahead) await send();
  for await (const [result] of socket) {
    const open = wanted.get(String(result));
    if (!open) throw new Error(`answer ${answered + 1} is not one that was asked for`);
    wanted.set(String(result), open - 1);
    answered += 1;
    if (!stopped) await send();
    else if (answered === sent) break;
  }
  socket.close();
  return answered;
}

const ROLES = { push, echo, ask };

process.on('message', async ({ start, stop, ...options }) => {
  if (stop) stopped = true;
  if (start === undefined) return;
  stopped = false;
  try {
    process.send({ sent: await ROLES[start](options) });
  } catch (error) {
    process.send({ error: error.stack });
  }
});
process.on('SIGINT', () => {}); // Ctrl-C reaches both processes: the parent decides
process.on('disconnect', () => process.exit());
process.send({ ready: true });
