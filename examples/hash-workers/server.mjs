// Hashes what clients send, on all cores: CPU-heavy work that would hold up an event loop.
//
//   node examples/hash-workers/server.mjs [endpoint] [threads]
import { availableParallelism } from 'node:os';
import { serve } from 'zeromq-threads';

const server = await serve({
  bind: process.argv[2] ?? 'tcp://127.0.0.1:5571',
  handler: new URL('./hash.mjs', import.meta.url),
  threads: Number(process.argv[3] ?? availableParallelism()),
  maxInFlight: 64, // contents are large: the rest waits with the clients
});
console.log(`hashing on ${server.endpoint}`);

process.once('SIGTERM', async () => {
  await server.close();
  for (const { thread, handled, service } of server.stats().threads) {
    console.log(`thread ${thread}: ${handled} contents, ${(service.mean / 1000).toFixed(1)} ms each`);
  }
});
