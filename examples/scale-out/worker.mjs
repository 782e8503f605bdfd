// Handles requests that come from the broker, in several threads. On SIGTERM it takes no more, finishes what it has,
// sends the answers, and leaves.
//
//   node examples/scale-out/worker.mjs [backend] [name] [threads]
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { serve } from 'zeromq-threads';

const [endpoint = 'tcp://127.0.0.1:5556', name = hostname(), threads] = process.argv.slice(2);

const server = await serve({
  connect: endpoint,
  handler: new URL('handler.mjs', import.meta.url),
  workerData: { name },
  threads: threads === undefined ? undefined : Number(threads),
  maxInFlight: 50,
  timeout: 10_000,
  socketOptions: { receiveHighWaterMark: 20 },
});
server.on('error', (error, { type }) => console.error(`${name}: ${type}: ${error.message}`));
console.log(`${name} is ready`);

// For an orchestrator's probes.
const health = createServer((_, response) => {
  response.statusCode = server.closed ? 503 : 200;
  response.end(JSON.stringify(server.stats()));
});
if (process.env.HEALTH_PORT !== undefined) health.listen(Number(process.env.HEALTH_PORT));

async function stop() {
  const { unfinished } = await server.close({ drain: true, timeout: 20_000 });
  console.log(`${name}: ${server.stats().handled} requests handled, ${unfinished} unfinished`);
  health.close();
}
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);
