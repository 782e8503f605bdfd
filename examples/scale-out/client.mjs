// Keeps a number of requests under way until it has asked enough, or is told to stop with Ctrl-C. A request that is not
// answered in time is asked again; one that is not answered at all is reported.
//
//   node examples/scale-out/client.mjs [frontend] [requests] [at once] [timeout] [retries]
import { createHash } from 'node:crypto';
import { Requester, TimeoutError } from 'zeromq-threads';

const [endpoint = 'tcp://127.0.0.1:5555', ...numbers] = process.argv.slice(2);
const [requests = 10_000, atOnce = 32, timeout = 1000, retries = 10] = numbers.map(Number);
const requester = new Requester({ connect: endpoint, timeout, retries });

let asked = 0;
let answered = 0;
let wrong = 0;
let reported = 0;
const byWorker = new Map();
let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => (stopping = true));

async function ask(asker) {
  for (let n = 0; !stopping && asked < requests; n++) {
    asked += 1;
    const question = `question ${n} of ${asker}`;
    try {
      const [digest, worker] = (await requester.request(question)).map(String);
      if (digest === createHash('sha256').update(question).digest('hex')) answered += 1;
      else wrong += 1;
      byWorker.set(worker, (byWorker.get(worker) ?? 0) + 1);
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      reported += 1;
    }
  }
}

function report() {
  const shares = [...byWorker].map(([worker, count]) => `${worker}: ${count}`).join(', ');
  const { retries: again } = requester.stats();
  console.log(
    `${asked} asked, ${answered} answered (${shares}), ${wrong} wrong, ${reported} reported, ${again} again`,
  );
}

const timer = setInterval(report, 250);
await Promise.all(Array.from({ length: atOnce }, (_, asker) => ask(asker)));
clearInterval(timer);
report();
requester.close();
