// A thread of main.mjs.
import { parentPort, workerData } from 'node:worker_threads';
import { Socket } from 'zeromq-threads';

const router = Socket.attach(workerData.handle);
parentPort.postMessage('ready');
for await (const [client, request] of router) {
  await router.send([client, request, String(fibonacci((Number(request) % 5) + 22)), workerData.name]);
}

function fibonacci(n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); // keeps a core busy
}
