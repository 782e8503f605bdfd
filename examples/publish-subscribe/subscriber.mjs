// Subscribes to one of the publisher's topics.
//
//   node examples/publish-subscribe/subscriber.mjs [endpoint]
import { Subscriber } from 'zeromq-threads';

const subscriber = new Subscriber();
subscriber.connect(process.argv[2] ?? 'tcp://127.0.0.1:5556');
subscriber.subscribe('Oslo'); // whatever begins with these bytes

for await (const [city, report] of subscriber) {
  const reading = JSON.parse(report.toString());
  if (reading === null) break;
  console.log(`${city}, round ${reading.round}: ${reading.celsius} °C`);
}
subscriber.close();
