// Log lines through two stages in several threads, and out in the order in which they came in.
//
//   node examples/log-pipeline/log-pipeline.mjs [how many lines]
import { Pull, Push, pipeline } from 'zeromq-threads';

const count = Number(process.argv[2] ?? 20_000);

const line = await pipeline({
  source: { type: 'PULL', bind: 'tcp://127.0.0.1:*' },
  sink: { type: 'PUSH', bind: 'tcp://127.0.0.1:*' },
  stages: [
    { handler: new URL('./stages.mjs#parse', import.meta.url), threads: 2 },
    { handler: new URL('./stages.mjs#redact', import.meta.url), threads: 2 },
  ],
  ordered: true,
});
line.on('error', (error, { stage, message }) =>
  console.error(`stage ${stage}: ${error.message}: ${message}`),
);

// Programs of their own, as a rule: who writes logs, and who keeps them.
const writer = new Push();
const keeper = new Pull();
writer.connect(line.endpoint);
keeper.connect(line.sinks[0]);

const writing = (async () => {
  for (let n = 1; n <= count; n++) {
    await writer.send(`2026-01-01T00:00:00Z INFO request ${n} of user${n % 7}@example.org`);
  }
})();

let kept = 0;
for await (const [record] of keeper) {
  const { text } = JSON.parse(record);
  kept++;
  if (text !== `request ${kept} of <address>`) throw new Error(`out of order: ${text} as number ${kept}`);
  if (kept === count) break;
}
await writing;
console.log(`${kept} records, in order`);
await line.close(); // finishes what was taken, then ends the threads
for (const [index, { handled, threads }] of line.stats().stages.entries()) {
  console.log(`stage ${index}: ${handled} messages in ${threads.length} threads`);
}
writer.close();
keeper.close();
