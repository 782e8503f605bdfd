/**
 * A socket that is open to strangers. It prints where, does what a server of its type does, and on each line of its
 * input tells what came of it.
 *
 *   node attacked.mjs '{ "type": "PULL", "size": 4321, "options": { ... }, "passwords": { ... } }'
 *
 * - `report`: how many messages with a last frame of `size` bytes it received, and their checksum; the last frames of all
 *   others; what the monitor counts; how much memory it has. `reset`: the same, and begins to count anew
 * - `publish`, `quiet`: sends numbered messages, or no longer
 * - `stop`: closes everything, and says what file descriptors are left over. Then the process ends by itself.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { Authenticator, Context, Poller, Pull, Push, Socket } from 'zeromq-threads';

const { type, size, options, passwords } = JSON.parse(process.argv[2]);
const ECHOES = ['REP', 'ROUTER'];
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

/** What each file descriptor of the process is, but for that of the folder that tells, and of a sanitizer's report. */
function descriptors() {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const what = readlinkSync(`/proc/self/fd/${fd}`);
      return /\/build-[at]san\/reports\//.test(what) ? [] : what;
    } catch {
      return [];
    }
  });
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Has the thread's I/O worker started and everything loaded, so that what these have is not counted. */
async function warmUp() {
  const context = new Context();
  const authenticator = new Authenticator(context);
  const pull = new Pull({ context });
  const push = new Push({ context });
  pull.events.on('accept', () => {});
  push.connect(pull.bind('tcp://127.0.0.1:*'));
  // A poller needs the thread's I/O worker at once, and does not return before it runs.
  const poller = new Poller([pull]);
  const readable = poller.wait();
  await push.send('x');
  await readable;
  poller.close();
  await pull.recv();
  await authenticator.close();
  await context.close();
}

await warmUp();
const before = descriptors();
const context = new Context();
const authenticator = passwords && new Authenticator(context);
await authenticator?.configurePlain({ passwords });
const socket = new Socket(context, type, { linger: 0, ...options });
const events = {};
socket.events.on('event', (event) => {
  events[event.type] = (events[event.type] ?? 0) + 1;
});
if (type === 'SUB') socket.subscribe();

/** Long ones are told by their length and checksum. */
const digest = (frame) =>
  frame.length > 64 ? `${frame.length} bytes ${crc32(frame)}` : frame.toString('hex');

let received = 0;
let checksum = 0;
let others = [];
function count(frames) {
  const last = frames.at(-1);
  if (last.length !== size) {
    if (type !== 'STREAM') others.push(digest(last));
    return;
  }
  received += 1;
  for (const frame of frames) {
    const head = Buffer.alloc(5);
    head.writeUInt32LE(frame.length);
    head[4] = frame.more ? 1 : 0;
    checksum = crc32(frame, crc32(head, checksum));
  }
}

/** STREAM tells of connections by empty frames, and would close them for one; who has gone takes nothing. */
function echoBytes(frames) {
  if (frames.at(-1).length === 0) return;
  try {
    socket.trySend(frames);
  } catch (error) {
    if (error.code !== 'EHOSTUNREACH') throw error;
  }
}

async function serve() {
  for await (const frames of socket) {
    count(frames);
    if (type === 'STREAM') echoBytes(frames);
    else if (ECHOES.includes(type)) await socket.send(frames);
  }
}
if (type !== 'PUB') void serve();

/** Message `n` of the test peers' pattern: the rule stands in test/peers/c/pattern.h. */
function patternMessage(n) {
  const frame = Buffer.alloc(size);
  for (let at = 8, x = ((31 * n) % 65521) + 8; at < size; at += 1, x += 1) {
    frame[at] = 7 * x + 13 * (x >> 8) + 29 * (x >> 16);
  }
  frame.writeBigUInt64LE(BigInt(n));
  return frame;
}

let publishing = false;
async function publish() {
  publishing = true;
  for (let n = 0; publishing; n += 1) {
    await socket.send(patternMessage(n));
    await turn();
  }
}

async function stop() {
  publishing = false;
  socket.close();
  await authenticator?.close();
  await context.close();
  // libzmq closes descriptors of connections in its own threads, and the system those of the threads, soon after.
  for (let tries = 0; tries < 1000 && descriptors().length > before.length; tries += 1) await setTimeout(5);
  const now = descriptors();
  say({
    stopped: true,
    leftOver: now.length > before.length ? now.filter((what) => !before.includes(what)) : [],
  });
}

say({ endpoint: socket.bind('tcp://127.0.0.1:*') });
const input = createInterface({ input: process.stdin });
for await (const order of input) {
  if (order === 'publish') void publish();
  else if (order === 'quiet') publishing = false;
  else if (order === 'stop') break;
  else {
    const { handshakeFailures, ...peers } = socket.peers;
    say({
      report: order,
      received,
      checksum,
      others,
      events,
      peers,
      handshakeFailures,
      rss: process.memoryUsage.rss(),
    });
    if (order === 'reset') [received, checksum, others] = [0, 0, []];
  }
}
await stop();
