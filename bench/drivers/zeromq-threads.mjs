/** Benchmark process on zeromq-threads as built in the folder above. */
import * as threads from '../../dist/src/index.js';

import { runDriver } from '../lib/driver.mjs';
import { ASYNC_ROLES, THREADS_ROLES } from '../lib/loops.mjs';

await runDriver({ sockets: threads, libzmq: threads.version, roles: { ...ASYNC_ROLES, ...THREADS_ROLES } });
