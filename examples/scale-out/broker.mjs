// The one address that clients and workers know. It holds nothing but connections: messages pass in a thread of their
// own, and workers come and go as they like.
//
//   node examples/scale-out/broker.mjs [frontend] [backend]
//   node examples/scale-out/worker.mjs          on as many machines as you like; then: node examples/scale-out/client.mjs
import { connectionDefaults, Dealer, proxy, Router } from 'zeromq-threads';

const frontend = new Router({ ...connectionDefaults, linger: 1000 });
// A low mark: requests wait at the broker for whoever is free, and few are on their way to a worker that dies.
const backend = new Dealer({ ...connectionDefaults, sendHighWaterMark: 20, linger: 0 });
console.log(`clients connect to ${frontend.bind(process.argv[2] ?? 'tcp://*:5555')}`);
console.log(`workers connect to ${backend.bind(process.argv[3] ?? 'tcp://*:5556')}`);

backend.events.on('accept', () => console.log('a worker came'));
backend.events.on('disconnect', () => console.log('a worker is gone'));

const broker = proxy(frontend, backend, { closeSockets: true });
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => broker.terminate());

await broker.finished;
const { messagesIn, messagesOut } = broker.statistics().frontend;
console.log(`${messagesIn} requests, ${messagesOut} replies`);
