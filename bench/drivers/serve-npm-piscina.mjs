import Piscina from 'piscina';
import { Router, version } from 'zeromq';
import { THREADS } from '../cases/serve.mjs';
import { runServer } from '../lib/serve-driver.mjs';

await runServer(async (workerData) => {
  const pool = new Piscina({
    filename: new URL('serve-task.mjs', import.meta.url).href,
    minThreads: THREADS,
    maxThreads: THREADS,
    workerData,
  });
  const router = new Router();
  await router.bind('tcp://127.0.0.1:*');
  // npm zeromq sends one message at a time.
  let sending = Promise.resolve();
  const answer = async ([id, delimiter, body]) => {
    const result = await pool.run(body);
    sending = sending.then(() => router.send([id, delimiter, result]));
  };
  (async () => {
    for await (const frames of router) void answer(frames);
  })();
  return { endpoint: router.lastEndpoint, libzmq: version };
});
