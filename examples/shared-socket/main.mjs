// One ROUTER socket, answered by several threads: each Worker attaches to it, takes requests and sends the replies
// itself. Nothing passes through the main thread.
//
//   node examples/shared-socket/main.mjs [threads] [requests]
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Dealer, Router } from 'zeromq-threads';

const threads = Number(process.argv[2] ?? 3);
const requests = Number(process.argv[3] ?? 300);

const router = new Router();
const endpoint = router.bind('tcp://127.0.0.1:*');
const workers = Array.from(
  { length: threads },
  (_, index) =>
    new Worker(new URL('worker.mjs', import.meta.url), {
      workerData: { handle: router.share(), name: `thread ${index + 1}` },
    }),
);
const ready = Promise.all(workers.map((worker) => once(worker, 'message')));
const left = Promise.all(workers.map((worker) => once(worker, 'exit')));
await ready;

const client = new Dealer();
client.connect(endpoint);
for (let n = 1; n <= requests; n++) await client.send(String(n));

const byThread = new Map();
let wrong = 0;
const expected = new Set(Array.from({ length: requests }, (_, index) => index + 1));
while (expected.size > 0) {
  const [request, answer, thread] = await client.recvMultipart({ timeout: 10_000 });
  if (!expected.delete(Number(request)) || Number(answer) !== fibonacci((Number(request) % 5) + 22))
    wrong += 1;
  byThread.set(thread.toString(), (byThread.get(thread.toString()) ?? 0) + 1);
}
console.log(`${requests} answers, ${wrong} of them wrong`);
for (const [thread, count] of [...byThread].sort()) console.log(`${thread} gave ${count} of them`);

client.close();
router.close(); // for all threads: their loops end, and so do they
await left;
console.log('all threads have ended');

function fibonacci(n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}
