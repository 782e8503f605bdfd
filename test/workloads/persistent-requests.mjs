/**
 * Asks a server, once a line `go` comes, and asks again what is not answered: answers may be lost, but must not be wrong.
 * Prints how many were answered.
 *
 *   node persistent-requests.mjs '{ "endpoint": "tcp://...", "first": 0, "count": 300, "size": 4321, "options": { ... } }'
 */
import { once } from 'node:events';
import { Requester } from 'zeromq-threads';

const { endpoint, first, count, size, options } = JSON.parse(process.argv[2]);
const requester = new Requester({ connect: endpoint, timeout: 300, retries: 100, ...options });
process.stdin.setEncoding('utf8');
console.log(JSON.stringify({ ready: true }));
await once(process.stdin, 'data');
let received = 0;
for (let n = first; n < first + count; n += 1) {
  const question = Buffer.alloc(size, n);
  question.writeBigUInt64LE(BigInt(n));
  const [answer, ...more] = await requester.request(question);
  if (more.length > 0 || !question.equals(answer)) throw new Error(`request ${n} got the answer to another`);
  received += 1;
}
requester.close();
process.stdin.destroy();
console.log(JSON.stringify({ ok: true, received }));
