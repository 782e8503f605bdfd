/** What the serve benchmark measures: handlers that burn so many microseconds, with payloads of so many bytes. */
export const BURNS = [0, 5, 20, 100];
export const SIZES = [64, 16384];

/** Handler threads, or Workers, of every variant that has any. */
export const THREADS = 2;

/** Processes that ask, and how many requests each keeps in flight. */
export const CLIENTS = 2;
export const WINDOW = 200;

/**
 * `driver` is whose program it is, if not its own. `prebuilt`: with the libzmq that the published package carries along;
 * the others have the system's, or npm zeromq's.
 */
export const OURS = 'zeromq-threads';
export const OURS_SYSTEM = 'zeromq-threads-system';
export const BOUND = 'c';
export const BOUND_SYSTEM = 'c-system';
export const VARIANTS = [
  { name: OURS, prebuilt: true, label: '**zeromq-threads**, `serve()`, 2 threads' },
  { name: OURS_SYSTEM, driver: OURS, label: '`serve()` on the system’s libzmq' },
  { name: 'npm-loop', label: '(a) npm `zeromq`, one loop' },
  { name: 'npm-piscina', label: '(b) npm `zeromq`, a Piscina task for each message, 2 threads' },
  { name: 'npm-proxy', label: '(c) npm `zeromq`, 2 Workers behind its Proxy' },
  // No rival: what libzmq and the system take by themselves.
  { name: BOUND, prebuilt: true, label: 'libzmq in C, its one thread burning the CPU' },
  { name: BOUND_SYSTEM, driver: BOUND, label: 'the same on the system’s libzmq' },
];
/** What the program in C has to be told, and `serve()` has by itself. */
export const BATCH_SIZE = 65_536;

/** What has a core to itself meanwhile, as an application's own work would. */
export const BUSY = ['another process', 'main thread'];
/** Where that is measured: what happens to serve(), and to one loop. */
export const BUSY_POINTS = [
  { size: 64, burn: 0, variants: ['zeromq-threads', 'npm-loop'] },
  { size: 64, burn: 20, variants: ['zeromq-threads', 'npm-loop'] },
  { size: 64, burn: 100, variants: ['zeromq-threads', 'npm-loop'] },
];
/** How often each of these is measured for every trial of the others: here it is a tenth that matters. */
export const BUSY_ROUNDS = 3;
