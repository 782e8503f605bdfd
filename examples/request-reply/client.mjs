// Asks the server for a few products.
//
//   node examples/request-reply/client.mjs [endpoint]
import { Request, TimeoutError } from 'zeromq-threads';

// Without `linger: 0` an unanswered request would be kept for a server that may never come.
const client = new Request({ receiveTimeout: 2000, linger: 0 });
client.connect(process.argv[2] ?? 'tcp://127.0.0.1:5555');

try {
  for (const [a, b] of [
    [6, 7],
    [12, 12],
    [0.5, 3],
  ]) {
    await client.send(JSON.stringify({ a, b }));
    const { product } = await client.recv('json');
    console.log(`${a} * ${b} = ${product}`);
  }
} catch (error) {
  if (!(error instanceof TimeoutError)) throw error;
  console.error(`no answer within ${error.timeoutSecs} s: is the server running?`);
  process.exitCode = 1;
} finally {
  client.close();
}
