// Takes jobs and hands results on; when told to stop (Ctrl-C, SIGTERM) it takes no more, finishes those that it has
// received, and leaves no result unsent.
//
//   node examples/graceful-shutdown.mjs <endpoint to bind> <endpoint to connect to>
import { setTimeout as sleep } from 'node:timers/promises';
import { context, Pull, Push, TimeoutError } from 'zeromq-threads';

const [from = 'tcp://127.0.0.1:5557', to = 'tcp://127.0.0.1:5558'] = process.argv.slice(2);
const jobs = new Pull({ receiveHighWaterMark: 10 });
const results = new Push();
const endpoint = jobs.bind(from);
results.connect(to);
console.log(`taking jobs on ${endpoint}`);

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());

let done = 0;
async function work([job]) {
  await sleep(5); // whatever takes its time
  await results.send(`${job} done`);
  done += 1;
}

// A cancelled receive never takes a message with it.
while (!stop.signal.aborted) {
  try {
    await work(await jobs.recvMultipart({ signal: stop.signal }));
  } catch (error) {
    if (error !== stop.signal.reason) throw error;
  }
}
console.log('stopping');

// No more jobs from here on: unsent ones stay with their senders. PUSH and PULL know no acknowledgement, though, so
// jobs that are on the network at this moment are lost. Where that matters, let workers ask for jobs (router-dealer).
jobs.unbind(endpoint);
for (;;) {
  const job = jobs.tryRecvMultipart();
  if (job === undefined) break;
  await work(job);
}
jobs.close();

// Closes the remaining sockets and waits until everything is sent, but not for ever.
try {
  await context().close({ timeout: 2000 });
  console.log(`${done} jobs done`);
} catch (error) {
  if (!(error instanceof TimeoutError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
