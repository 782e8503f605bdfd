/**
 * A process that speaks plain TCP to ports of sockets, and not what they expect. One JSON object a line, in and out.
 *
 * `{ id, port, connections: [{ steps: [{ hex, after }], ending }] }` makes the connections, some at a time. Each step is
 * written once `after` bytes have come from the server. `ending` says what follows the last step:
 *
 * - `close`, `reset`: the connection is closed, or reset, at once
 * - `half`: its sending side is closed, and the server is to end it
 * - `wait`: nothing more is sent, and the server is to end it
 * - `hold`: it stays, until `{ release: true }`
 *
 * The answer is `{ id, ended, received }`: how many connections the server ended, and what it had sent, in hex, to the
 * first of them. It comes when all are over, those that are held aside.
 *
 * `{ id, relay: port, moments: [{ at, cut }] }` listens at a port of its own, answers `{ id, port }`, and passes on what
 * each connection has to say in both directions, up to byte `at`: there it cuts the connection off or changes the byte,
 * and cuts it 3,000 bytes later. When all moments are over it answers `{ id, over: true }`.
 */
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

const AT_ONCE = 100;
const BYTES_AFTER_CHANGE = 3000;
const held = [];
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

function visit(port, { steps, ending }) {
  return new Promise((resolve) => {
    const tcp = connect({ port, host: '127.0.0.1', allowHalfOpen: ending === 'half' });
    let received = Buffer.alloc(0);
    let next = 0;
    let ended = false;
    const finish = () => {
      if (ending === 'close') tcp.destroySoon();
      else if (ending === 'reset') tcp.resetAndDestroy();
      else if (ending === 'half') tcp.end();
      else if (ending === 'hold') {
        held.push(tcp);
        resolve({ ended: false, received });
      }
    };
    const advance = () => {
      if (next > steps.length || (next < steps.length && received.length < (steps[next].after ?? 0))) return;
      const step = steps[next++];
      if (step === undefined) finish();
      else tcp.write(Buffer.from(step.hex, 'hex'), advance);
    };
    tcp.on('connect', advance);
    tcp.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      advance();
    });
    tcp.on('end', () => {
      ended = true;
      if (ending === 'half') tcp.destroy();
    });
    tcp.on('error', () => {
      ended = true; // a reset: the server closed it before it had read everything
    });
    tcp.on('close', () => resolve({ ended, received }));
  });
}

async function visitAll({ id, port, connections }) {
  const queue = connections[Symbol.iterator]();
  let ended = 0;
  let received;
  const one = async () => {
    for (const connection of queue) {
      const outcome = await visit(port, connection);
      if (outcome.ended) ended += 1;
      received ??= outcome.received.toString('hex');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  say({ id, ended, received });
}

function relay({ id, relay: port, moments }) {
  let next = 0;
  let over = 0;
  const server = createServer((client) => {
    const moment = moments[next++];
    if (moment === undefined) {
      client.destroy();
      return;
    }
    const target = connect(port, '127.0.0.1');
    const { at, cut } = moment;
    let passed = 0;
    const both = [client, target];
    client.on('data', (bytes) => {
      const index = at - passed;
      passed += bytes.length;
      if (index >= 0 && index < bytes.length) {
        if (cut) {
          target.write(bytes.subarray(0, index), () => target.destroy());
          return;
        }
        bytes[index] ^= 0x55;
      }
      target.write(bytes);
      if (passed > at + BYTES_AFTER_CHANGE) target.destroySoon();
    });
    target.on('data', (bytes) => client.write(bytes));
    for (const tcp of both) tcp.on('error', () => {});
    client.on('close', () => target.destroy());
    target.on('close', () => {
      client.destroy();
      over += 1;
      if (over === moments.length) {
        server.close();
        say({ id, over: true });
      }
    });
  });
  server.listen(0, '127.0.0.1', () => say({ id, port: server.address().port }));
}

say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  if (order.release) for (const tcp of held.splice(0)) tcp.destroy();
  else if (order.relay) relay(order);
  else void visitAll(order);
}
process.exit(0);
