// A JSON API in several threads. What goes wrong in a handler is an answer, too: {"error":{"name":...,"message":...}}.
//
//   node examples/json-api/server.mjs [endpoint]
import { serve } from 'zeromq-threads';

const server = await serve({
  bind: process.argv[2] ?? 'tcp://127.0.0.1:5570',
  handler: new URL('./handler.mjs', import.meta.url),
  threads: 2,
  timeout: 1000,
});
server.on('error', (error, { type }) => console.log(`${type}: ${error.message}`));
console.log(`serving on ${server.endpoint}`);

process.once('SIGTERM', async () => {
  const { unfinished } = await server.close();
  console.log(`${server.stats().handled} requests, ${unfinished} unfinished`);
});
