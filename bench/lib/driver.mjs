/** The frame of a JavaScript benchmark process: command line, sockets, output. The C twin is ../c/common.h. */
import { read } from 'node:fs';
import { parseArgs, promisify } from 'node:util';
import { isMainThread, Worker } from 'node:worker_threads';

import { keepBusy } from './busy.mjs';
import { startUsage } from './usage.mjs';

const NUMBERS = [
  'busy',
  'count',
  'frames',
  'gc',
  'hwm',
  'idle',
  'period',
  'rate',
  'size',
  'sockets',
  'subscriptions',
  'warmup',
  'window',
  'worker',
];
/** Who closes only once everything has arrived: see wait_for_receivers in ../c/common.h. */
const SENDS_LAST = new Set(['Push', 'XPublisher', 'Router']);
const DEFAULTS = { size: 16, window: 1, warmup: 0, frames: 1, period: 256, sockets: 1 };

/**
 * Runs the role named on the command line. `load` resolves with the library, which has the classes Pull, Push and so
 * on. `roles` maps a name to `[class name, loop]`, where `loop(socket, options)` resolves with what the result line
 * says; `options.all` has every socket, and `options.library` the library.
 *
 * With `--worker 1` all of that happens in a Worker, and the main thread only waits. `--busy 0.5` keeps the main
 * thread busy for half of the time, wherever the sockets are.
 */
export async function runDriver({ load, roles }) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: Object.fromEntries(
      [...NUMBERS, 'bind', 'connect', 'trips'].map((name) => [name, { type: 'string' }]),
    ),
  });
  const options = { ...DEFAULTS, trips: values.trips };
  for (const name of NUMBERS) if (values[name] !== undefined) options[name] = Number(values[name]);
  const role = roles[positionals[0]];
  if (!role)
    throw new Error(`unknown role ${positionals[0]}, expected one of ${Object.keys(roles).join(', ')}`);
  if (options.worker && isMainThread) {
    await inWorker(options.busy);
    return;
  }
  const [className, loop] = role;
  const importing = performance.now();
  options.library = await load();
  options.importMilliseconds = performance.now() - importing;
  const settings = socketSettings(className, options.hwm);
  options.all = Array.from({ length: options.sockets }, () => new options.library[className](settings));
  const [socket] = options.all;
  if (className === 'Subscriber') socket.subscribe(...topics(options.period));
  if (values.bind) await socket.bind(values.bind);
  if (values.connect) for (const each of options.all) await each.connect(values.connect);
  print({ ready: true, endpoint: socket.lastEndpoint, libzmq: options.library.version });
  const stopBusy = options.busy && isMainThread ? keepBusy(options.busy) : undefined;
  const usage = startUsage(options);
  const result = await loop(socket, options);
  stopBusy?.();
  if (SENDS_LAST.has(className)) await endOfInput();
  const used = usage();
  for (const each of options.all) await each.close();
  print({ ...result, ...used, maxRssKiB: process.resourceUsage().maxRSS });
}

/** By the file descriptor, which a Worker has, too; standard input as a stream it has not. */
async function endOfInput() {
  const ignored = Buffer.alloc(64);
  while ((await promisify(read)(0, ignored, 0, ignored.length, null)).bytesRead > 0);
}

/** Runs this very program in a Worker, and fails as it does. */
async function inWorker(busy) {
  const worker = new Worker(process.argv[1], { argv: process.argv.slice(2), stdout: true });
  // Passed on line by line, so that the process is not kept waiting for a flush at its end.
  worker.stdout.pipe(process.stdout, { end: false });
  const stopBusy = busy ? keepBusy(busy) : undefined;
  const code = await new Promise((resolve, reject) => worker.once('error', reject).once('exit', resolve));
  stopBusy?.();
  if (code !== 0) process.exitCode = code;
}

/** The mark for both directions; typed sockets refuse the one they do not have. No mark: libzmq's default. */
function socketSettings(className, mark) {
  const settings = {};
  if (className === 'XPublisher') settings.verbosity = 'allSubs';
  if (mark === undefined) return settings;
  if (!['Pull', 'Subscriber'].includes(className)) settings.sendHighWaterMark = mark;
  if (!['Push', 'XPublisher'].includes(className)) settings.receiveHighWaterMark = mark;
  return settings;
}

/** Topics are the first bytes of messages. */
function topics(count) {
  return Array.from({ length: count }, (_, first) => Buffer.of(first));
}

function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
