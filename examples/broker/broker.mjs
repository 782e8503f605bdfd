// A broker: clients ask its frontend, services answer at its backend, and neither has to know the other. Both sides come
// and go; with several services, requests are shared out among them.
//
//   node examples/broker/broker.mjs [frontend] [backend]
//   node examples/broker/service.mjs            as many as you like; then: node examples/request-reply/client.mjs
import { Dealer, proxy, Router } from 'zeromq-threads';

const frontend = new Router();
const backend = new Dealer();
console.log(`clients ask on ${frontend.bind(process.argv[2] ?? 'tcp://127.0.0.1:5555')}`);
console.log(`services answer on ${backend.bind(process.argv[3] ?? 'tcp://127.0.0.1:5556')}`);

// From here on messages pass in a thread of their own, whatever this one does.
const broker = proxy(frontend, backend, { closeSockets: true });
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => broker.terminate());

await broker.finished;
const { messagesIn, messagesOut } = broker.statistics().frontend;
console.log(`${messagesIn} requests, ${messagesOut} replies`);
