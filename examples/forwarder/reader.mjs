// Reads what is published of one town, a few times.
//
//   node examples/forwarder/reader.mjs [town] [readings] [backend]
import { Subscriber } from 'zeromq-threads';

const town = process.argv[2] ?? 'Oslo';
const readings = Number(process.argv[3] ?? 5);
const reader = new Subscriber();
reader.subscribe(town);
reader.connect(process.argv[4] ?? 'tcp://127.0.0.1:5558');

let read = 0;
for await (const [topic, text] of reader) {
  console.log(`${topic}: ${text}`);
  read += 1;
  if (read === readings) break;
}
reader.close();
