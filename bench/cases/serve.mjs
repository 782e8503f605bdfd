/** What the serve benchmark measures: handlers that burn so many microseconds, with payloads of so many bytes. */
export const BURNS = [0, 5, 20, 100];
export const SIZES = [64, 16384];

/** Handler threads, or Workers, of every variant that has any. */
export const THREADS = 2;

/** Processes that ask, and how many requests each keeps in flight. */
export const CLIENTS = 2;
export const WINDOW = 200;

export const BOUND = 'c';
export const VARIANTS = [
  { name: 'zeromq-threads', label: '**zeromq-threads**, `serve()`, 2 threads' },
  { name: 'zeromq-threads-batch', label: "`serve()` with `threadSchedulingPolicy: 'batch'`" },
  { name: 'npm-loop', label: '(a) npm `zeromq`, one loop' },
  { name: 'npm-piscina', label: '(b) npm `zeromq`, a Piscina task for each message, 2 threads' },
  { name: 'npm-proxy', label: '(c) npm `zeromq`, 2 Workers behind its Proxy' },
  // No rival: what libzmq and the system take by themselves.
  { name: BOUND, label: 'libzmq in C, its one thread burning the CPU' },
];

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
