// Hands jobs to worker processes, each time to one that has said that it is free, and collects the results.
//
//   node examples/router-dealer/boss.mjs [workers] [jobs]
import { fork } from 'node:child_process';
import { Router } from 'zeromq-threads';

const workers = Number(process.argv[2] ?? 3);
const jobs = Number(process.argv[3] ?? 30);

// `mandatory`: a job for a worker that has gone is an error (EHOSTUNREACH) and not lost in silence.
const router = new Router({ mandatory: true });
const endpoint = router.bind('tcp://127.0.0.1:*');
for (let n = 1; n <= workers; n++) {
  fork(new URL('worker.mjs', import.meta.url), [endpoint, `worker-${n}`]);
}

const done = new Map();
let given = 0;
let collected = 0;
let dismissed = 0;
let sum = 0;
for await (const [worker, kind, result] of router) {
  if (kind.toString() === 'result') {
    collected += 1;
    sum += Number(result);
    done.set(worker.toString(), (done.get(worker.toString()) ?? 0) + 1);
    if (collected === jobs) console.log(`the sum of ${jobs} squares is ${sum}`);
  }
  // Whatever it said, this worker is free now.
  if (given < jobs) {
    given += 1;
    await router.send([worker, 'job', String(given)]);
  } else {
    await router.send([worker, 'go home']);
    dismissed += 1;
    if (dismissed === workers) break;
  }
}
for (const [worker, count] of [...done].sort()) console.log(`${worker} did ${count} jobs`);
router.close();
