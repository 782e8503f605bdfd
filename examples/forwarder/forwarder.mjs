// A forwarder: many publishers, many subscribers, one address for each. Subscriptions go up to the publishers, so that
// only what somebody wants comes down.
//
//   node examples/forwarder/forwarder.mjs [frontend] [backend]
//   node examples/forwarder/sensor.mjs Oslo     as many as you like; then: node examples/forwarder/reader.mjs Oslo
import { proxy, XPublisher, XSubscriber } from 'zeromq-threads';

const frontend = new XSubscriber();
const backend = new XPublisher();
console.log(`publishers connect to ${frontend.bind(process.argv[2] ?? 'tcp://127.0.0.1:5557')}`);
console.log(`subscribers connect to ${backend.bind(process.argv[3] ?? 'tcp://127.0.0.1:5558')}`);

const forwarder = proxy(frontend, backend, { closeSockets: true });
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => forwarder.terminate());

await forwarder.finished;
const { frontend: up, backend: down } = forwarder.statistics();
console.log(`${down.messagesOut} messages down, ${up.messagesOut} subscriptions up`);
