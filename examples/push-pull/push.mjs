// Sends the numbers from 1 up, then an empty message.
//
//   node examples/push-pull/push.mjs [endpoint] [how many]
import { Push } from 'zeromq-threads';

const push = new Push();
push.connect(process.argv[2] ?? 'tcp://127.0.0.1:5557');

const count = Number(process.argv[3] ?? 100_000);
for (let n = 1; n <= count; n++) {
  // Waits whenever the receiver is behind by more than the high-water marks allow.
  await push.send(String(n));
}
await push.send('');
console.log(`sent ${count} numbers`);

// What libzmq has accepted is still sent after this, until `linger` milliseconds are over (here: as long as it takes).
push.close();
