import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Dealer, Reply, Router, version, Proxy as ZmqProxy } from 'zeromq';
import { THREADS } from '../cases/serve.mjs';
import { makeBurn } from '../lib/burn.mjs';
import { runServer } from '../lib/serve-driver.mjs';

if (isMainThread) {
  await runServer(async (burning) => {
    const [frontend, backend] = [new Router(), new Dealer()];
    await frontend.bind('tcp://127.0.0.1:*');
    await backend.bind('tcp://127.0.0.1:*');
    const workers = Array.from(
      { length: THREADS },
      () => new Worker(new URL(import.meta.url), { workerData: { burning, endpoint: backend.lastEndpoint } }),
    );
    await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
    const endpoint = frontend.lastEndpoint;
    void new ZmqProxy(frontend, backend).run();
    // A process with a proxy or with sockets in Workers aborts when it exits.
    const stop = () => process.kill(process.pid, 'SIGKILL');
    return { endpoint, libzmq: version, stop };
  });
} else {
  const burn = makeBurn(workerData.burning);
  const reply = new Reply();
  reply.connect(workerData.endpoint);
  parentPort.postMessage('ready');
  for await (const [body] of reply) {
    burn();
    await reply.send(body);
  }
}
