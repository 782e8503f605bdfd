import { Router, version } from 'zeromq';
import { makeBurn } from '../lib/burn.mjs';
import { runServer } from '../lib/serve-driver.mjs';

await runServer(async (burning) => {
  const burn = makeBurn(burning);
  const router = new Router();
  await router.bind('tcp://127.0.0.1:*');
  (async () => {
    for await (const frames of router) {
      burn();
      await router.send(frames);
    }
  })();
  return { endpoint: router.lastEndpoint, libzmq: version };
});
