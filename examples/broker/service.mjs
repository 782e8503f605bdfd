// A service behind broker.mjs: multiplies, until it is told to stop with Ctrl-C.
//
//   node examples/broker/service.mjs [backend]
import { Reply } from 'zeromq-threads';

const service = new Reply();
service.connect(process.argv[2] ?? 'tcp://127.0.0.1:5556');
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => service.close());
console.log('ready');

let answered = 0;
for await (const [request] of service) {
  const { a, b } = JSON.parse(request.toString());
  await service.send(JSON.stringify({ product: a * b }));
  answered += 1;
}
console.log(`answered ${answered} requests`);
