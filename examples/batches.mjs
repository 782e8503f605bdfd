// Receives many small messages in batches: no object per message, the bytes are read where they lie.
//
//   node examples/batches.mjs [messages]
import { Worker } from 'node:worker_threads';
import { Pull } from 'zeromq-threads';

const messages = Number(process.argv[2] ?? 500_000);
const pull = new Pull();
const endpoint = pull.bind('tcp://127.0.0.1:*');

// A thread that sends pairs of 32-bit integers: a number and its square.
const sender = `
  const { workerData } = require('node:worker_threads');
  import('zeromq-threads').then(async ({ Push }) => {
    const push = new Push();
    push.connect(workerData.endpoint);
    const pair = new Int32Array(2);
    for (let n = 0; n < workerData.messages; n++) {
      pair[0] = n % 1000;
      pair[1] = pair[0] ** 2;
      await push.send(pair);
    }
    push.close();
  });
`;
new Worker(sender, { eval: true, workerData: { endpoint, messages } });

let received = 0;
let batches = 0;
let wrong = 0;
for await (const batch of pull.batches()) {
  // Frames begin at multiples of 8 in `batch.data`, so a batch can be read as any kind of number.
  const numbers = new Int32Array(batch.data.buffer);
  for (let i = 0; i < batch.length; i++) {
    const at = batch.offset(i) / 4;
    if (numbers[at + 1] !== numbers[at] ** 2) wrong += 1;
  }
  received += batch.messages;
  batches += 1;
  if (received === messages) break;
  // From here on the batch's memory may be filled again; batch.retain() would keep it.
}
console.log(`${received} messages, ${wrong} of them wrong`);
console.log(batches < received ? 'many came at once' : 'every message came alone');
pull.close();
