/** serve() as a server of the serve benchmark. */
import { serve, version } from '../../dist/bundle/src/index.js';
import { THREADS } from '../cases/serve.mjs';
import { runServer } from '../lib/serve-driver.mjs';

await runServer(async (workerData) => {
  const server = await serve({
    bind: 'tcp://127.0.0.1:*',
    handler: new URL('serve-handler.mjs', import.meta.url),
    threads: THREADS,
    workerData,
  });
  server.on('error', (error) => console.error(error));
  return { endpoint: server.endpoint, libzmq: version };
});
