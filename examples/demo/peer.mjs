// The demo's other process: sends, or echoes, as it is told over the channel to its parent.
import { Push, Router } from 'zeromq-threads';
import { makePayloads } from './payloads.mjs';

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

process.on('message', async ({ start, stop, ...options }) => {
  if (stop) stopped = true;
  if (start === undefined) return;
  stopped = false;
  try {
    process.send({ sent: await (start === 'push' ? push(options) : echo()) });
  } catch (error) {
    process.send({ error: error.stack });
  }
});
process.on('SIGINT', () => {}); // Ctrl-C reaches both processes: the parent decides
process.on('disconnect', () => process.exit());
process.send({ ready: true });
