/** One trial of the serve benchmark: a server, saturating clients in C, all of them new processes. */
import { fileURLToPath } from 'node:url';

import { BATCH_SIZE, BOUND, CLIENTS, WINDOW } from '../cases/serve.mjs';
import { Child } from './child.mjs';
import { prebuilt, program } from './programs.mjs';

const BUSY_PROCESS = fileURLToPath(new URL('busy-process.mjs', import.meta.url));
const WARMUP = 2000;
const TAIL = 300;
const TRIAL_SECONDS = 60;

function commandOf(driver) {
  if (driver === BOUND) return program('c', 'serve-server');
  return [process.execPath, fileURLToPath(new URL(`../drivers/serve-${driver}.mjs`, import.meta.url))];
}

/** @returns `{ rate, outside, io, cpu, burn }`: messages a second, and microseconds a message; `io` is part of
 *   `outside`: libzmq's own I/O threads */
export async function serveTrial({
  variant: { name, driver = name, prebuilt: carried = false },
  size,
  burn: wanted,
  spins,
  measure,
  busy,
}) {
  const children = [];
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${TRIAL_SECONDS} s`)), TRIAL_SECONDS * 1000);
  });
  const run = async () => {
    const options = {
      ...(driver === BOUND ? { burn: wanted, batch: carried ? BATCH_SIZE : undefined } : { spins }),
      warmup: WARMUP,
      measure,
      busy: busy === 'main thread' ? 1 : undefined,
    };
    const server = new Child(name, commandOf(driver), options, carried ? prebuilt() : {});
    children.push(server);
    const { endpoint, libzmq } = await server.ready;
    if (busy === 'another process') children.push(new Child('busy', [process.execPath, BUSY_PROCESS], {}));
    const clients = Array.from({ length: CLIENTS }, () => {
      // How long a client goes on is its warmup: it measures nothing itself.
      const warmup = WARMUP + measure + TAIL;
      const client = new Child('client', program('c', 'serve-client'), {
        connect: endpoint,
        size,
        window: WINDOW,
        warmup,
      });
      children.push(client);
      return client;
    });
    await Promise.race([Promise.all(clients.map(({ result }) => result)), server.result.then(() => {})]);
    await Promise.all(clients.map(({ result }) => result));
    server.terminate();
    const { seconds, messages, cpu, burn, io } = await server.result;
    if (messages === 0) throw new Error('nothing was handled while it was measured');
    const outside = cpu / messages - burn;
    return { rate: messages / seconds, cpu: cpu / messages, burn, outside, io: io / messages, libzmq };
  };
  try {
    return await Promise.race([run(), late]);
  } finally {
    clearTimeout(timer);
    for (const child of children) child.kill();
  }
}
