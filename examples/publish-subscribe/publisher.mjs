// Publishes temperatures. A publisher drops what nobody has subscribed to, so this one waits for its first
// subscriber: as an XPUB it receives the subscriptions.
//
//   node examples/publish-subscribe/publisher.mjs [endpoint] [rounds]
import { setTimeout as sleep } from 'node:timers/promises';
import { XPublisher } from 'zeromq-threads';

const publisher = new XPublisher();
const endpoint = publisher.bind(process.argv[2] ?? 'tcp://127.0.0.1:5556');
const rounds = Number(process.argv[3] ?? 10);
console.log(`publishing on ${endpoint}`);

const subscription = await publisher.recv(); // a byte 1, then the topic
console.log(`somebody wants to know about '${subscription.subarray(1)}'`);

for (let round = 1; round <= rounds; round++) {
  for (const city of ['Lisbon', 'Oslo', 'Quito']) {
    const celsius = 10 + ((round * city.length) % 15);
    await publisher.send([city, JSON.stringify({ round, celsius })]);
  }
  await sleep(20);
}
await publisher.send(['Oslo', 'null']); // the end
publisher.close();
