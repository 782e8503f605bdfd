// Publishes a reading of its town every few milliseconds, until it is told to stop with Ctrl-C. Any number of them.
//
//   node examples/forwarder/sensor.mjs [town] [frontend]
import { setTimeout as sleep } from 'node:timers/promises';
import { Publisher } from 'zeromq-threads';

const town = process.argv[2] ?? 'Oslo';
const sensor = new Publisher({ linger: 0 });
sensor.connect(process.argv[3] ?? 'tcp://127.0.0.1:5557');
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => sensor.close());
console.log(`measuring in ${town}`);

for (let n = 1; !sensor.closed; n++) {
  await sensor.send([town, `reading ${n}`]);
  await sleep(5);
}
