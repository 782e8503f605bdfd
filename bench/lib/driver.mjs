/** The frame of a JavaScript benchmark process: command line, socket, output. The C twin is ../c/common.h. */
import { parseArgs } from 'node:util';

const NUMBERS = ['count', 'size', 'window', 'warmup', 'hwm'];

/**
 * Runs the role named on the command line. `sockets` has the classes Pull, Push, Router and Dealer, and `roles` maps
 * a name to `[class name, loop]`, where `loop(socket, options)` resolves with what the result line says.
 */
export async function runDriver({ sockets, libzmq, roles }) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: Object.fromEntries([...NUMBERS, 'bind', 'connect'].map((name) => [name, { type: 'string' }])),
  });
  const options = { size: 16, window: 1, warmup: 0 };
  for (const name of NUMBERS) if (values[name] !== undefined) options[name] = Number(values[name]);
  const role = roles[positionals[0]];
  if (!role)
    throw new Error(`unknown role ${positionals[0]}, expected one of ${Object.keys(roles).join(', ')}`);
  const [className, loop] = role;
  const socket = new sockets[className](highWaterMarks(className, options.hwm));
  if (values.bind) await socket.bind(values.bind);
  if (values.connect) await socket.connect(values.connect);
  print({ ready: true, endpoint: socket.lastEndpoint, libzmq });
  const result = await loop(socket, options);
  await socket.close();
  print({ ...result, maxRssKiB: process.resourceUsage().maxRSS });
}

/** The mark for both directions; typed sockets refuse the one they do not have. No mark: libzmq's default. */
function highWaterMarks(className, mark) {
  const marks = {};
  if (mark === undefined) return marks;
  if (className !== 'Pull') marks.sendHighWaterMark = mark;
  if (className !== 'Push') marks.receiveHighWaterMark = mark;
  return marks;
}

function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
