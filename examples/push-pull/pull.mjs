// Collects numbers from any number of senders and adds them up.
//
//   node examples/push-pull/pull.mjs [endpoint]     then, elsewhere: node examples/push-pull/push.mjs
import { Pull } from 'zeromq-threads';

const pull = new Pull();
const endpoint = pull.bind(process.argv[2] ?? 'tcp://127.0.0.1:5557');
console.log(`collecting on ${endpoint}`);

let count = 0;
let sum = 0;
for await (const [frame] of pull) {
  if (frame.length === 0) break; // an empty message: that was all
  count += 1;
  sum += Number(frame.toString());
}

console.log(`${count} numbers, their sum is ${sum}`);
pull.close();
