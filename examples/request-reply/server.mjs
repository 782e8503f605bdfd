// Answers requests until it is told to stop with Ctrl-C.
//
//   node examples/request-reply/server.mjs [endpoint]     then, elsewhere: node examples/request-reply/client.mjs
import { Reply } from 'zeromq-threads';

const server = new Reply();
const endpoint = server.bind(process.argv[2] ?? 'tcp://127.0.0.1:5555');
console.log(`answering on ${endpoint}`);

// Closing the socket ends the loop below, and then nothing keeps the process.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close());

let answered = 0;
for await (const [request] of server) {
  const { a, b } = JSON.parse(request.toString());
  await server.send(JSON.stringify({ product: a * b }));
  answered += 1;
}
console.log(`answered ${answered} requests`);
