/** Benchmark process on npm zeromq, which carries a libzmq of its own. */
import { runDriver } from '../lib/driver.mjs';
import { ASYNC_ROLES } from '../lib/loops.mjs';

await runDriver({ load: () => import('zeromq'), roles: ASYNC_ROLES });
