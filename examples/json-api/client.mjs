// Asks server.mjs.
//
//   node examples/json-api/client.mjs [endpoint]
import { Requester } from 'zeromq-threads';

const requester = new Requester({
  connect: process.argv[2] ?? 'tcp://127.0.0.1:5570',
  timeout: 2000,
  retries: 2,
});

async function call(method, params) {
  const [answer] = await requester.request(JSON.stringify({ method, params }));
  const { result, error } = JSON.parse(answer);
  return error === undefined ? result : `${error.name}: ${error.message}`;
}

console.log('list:', (await call('list')).join(', '));
console.log(
  'total:',
  await call('total', {
    items: [
      { name: 'apple', count: 2 },
      { name: 'plum', count: 5 },
    ],
  }),
);
console.log('total:', await call('total', { items: [{ name: 'brick', count: 1 }] }));
console.log('fly:', await call('fly'));
requester.close();
