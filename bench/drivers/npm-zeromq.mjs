/** Benchmark process on npm zeromq, which carries a libzmq of its own. */
import * as zeromq from 'zeromq';

import { runDriver } from '../lib/driver.mjs';
import { ASYNC_ROLES } from '../lib/loops.mjs';

await runDriver({ sockets: zeromq, libzmq: zeromq.version, roles: ASYNC_ROLES });
