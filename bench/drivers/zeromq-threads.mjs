/** Benchmark process on zeromq-threads as built in the folder above. */
import { runDriver } from '../lib/driver.mjs';
import { ASYNC_ROLES, THREADS_ROLES } from '../lib/loops.mjs';

await runDriver({
  load: () => import('../../dist/bundle/src/index.js'),
  roles: { ...ASYNC_ROLES, ...THREADS_ROLES },
});
