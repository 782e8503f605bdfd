// Messages between two processes over loopback tcp, measured while they flow, for about ten seconds.
//
//   npm run demo
//   node examples/demo/demo.mjs [--seconds 10]
//
// On a terminal it draws a table in place; anywhere else it prints a line now and then. Exit status: 0, or 1 when
// something went wrong, 2 for a bad command line, or 130 when it was interrupted.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { makeDisplay } from './display.mjs';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' } } });
const totalMs = Number(values.seconds) * 1000;
if (!(totalMs >= 1000)) {
  console.error(`--seconds: expected a number from 1 up, got ${values.seconds}`);
  process.exit(2);
}

const REFRESH_MS = 100;
/** Nothing may take longer than this, in milliseconds: neither a message nor an answer of the peer. */
const PATIENCE_MS = 5000;
const LOOP_RESOLUTION_MS = 1;

let display;
let peer;

async function main() {
  const { PHASES } = await import('./phases.mjs').catch((error) => {
    throw new Error(
      `zeromq-threads cannot be loaded; run it with npm run demo, which builds it first.\n${error}`,
    );
  });
  const { version } = await import('zeromq-threads');
  peer = await startPeer();
  console.log(`libzmq ${version}, Node.js ${process.version}, ${availableParallelism()} cores.`);
  console.log(
    `Processes ${process.pid} and ${peer.pid} talk over tcp://127.0.0.1; every message is checked.\n`,
  );

  const rows = PHASES.map((phase) => ({ ...phase, state: 'waiting', rate: 0, messages: 0 }));
  display = makeDisplay(rows, totalMs);
  for (const row of rows) await Promise.race([runPhase(row, totalMs / rows.length), peer.failed]);
  display.end();

  const total = rows.reduce((sum, { messages }) => sum + messages, 0);
  console.log(`${total.toLocaleString('en')} messages, all of them complete and in order.`);
  const [inLoop, inThreads] = rows.slice(-2);
  const times = (inThreads.rate / inLoop.rate).toFixed(1);
  console.log(
    `serve() answered ${times} times as many CPU-heavy requests as one event loop, which is free meanwhile.`,
  );
  console.log("Late: 99 % of the turns of this process's event loop began no later than that.");
  console.log('Proper measurements, beside other libraries: see bench/README.md.');
}

/** Runs one phase for `phaseMs` after its first message, and keeps its row of the table up to date. */
async function runPhase(row, phaseMs) {
  const tally = { messages: 0 };
  const delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  let begun;
  let heard = performance.now();
  let before = 0;
  let timeIsOver;
  let giveUp;
  const over = new Promise((resolve) => {
    timeIsOver = resolve;
  });
  const silence = new Promise((_, reject) => {
    giveUp = reject;
  });
  row.state = 'running';

  const look = () => {
    const now = performance.now();
    const { messages } = tally;
    if (messages > before) heard = now;
    before = messages;
    if (now - heard > PATIENCE_MS) {
      giveUp(new Error(`${row.what}, ${row.size} bytes: nothing has come for ${PATIENCE_MS / 1000} s`));
    }
    if (begun === undefined && messages > 0) {
      // The clock starts now: what came before this look does not count.
      begun = { at: now, messages };
      delay.enable();
    } else if (begun !== undefined && !row.measured) {
      const elapsed = (now - begun.at) / 1000;
      row.rate = (messages - begun.messages) / elapsed;
      row.megabytes = (row.rate * row.size) / 1e6;
      row.late = Math.max(0, delay.percentile(99) / 1e6 - LOOP_RESOLUTION_MS);
      if (elapsed * 1000 >= phaseMs) {
        row.measured = true;
        delay.disable();
        timeIsOver();
      }
    }
    display.update();
  };

  const timer = setInterval(look, REFRESH_MS);
  look();
  try {
    await Promise.race([row.run(row, peer, tally, over), silence]);
  } finally {
    clearInterval(timer);
    delay.disable();
  }
  row.messages = tally.messages;
  row.state = 'done';
  display.update();
}

/** The other process. `answer()` resolves with what it says next; `failed` rejects if it goes wrong or away. */
async function startPeer() {
  const child = fork(new URL('peer.mjs', import.meta.url), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const said = [];
  let asked;
  let fail;
  const failed = new Promise((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {}); // somebody looks when it matters
  child.on('error', (error) => fail(new Error(`the second process cannot be started: ${error.message}`)));
  child.on('exit', (code, signal) =>
    fail(new Error(`the second process ended (${signal ?? `status ${code}`})`)),
  );
  child.on('message', (message) => {
    if (message.error !== undefined) fail(new Error(`in the second process: ${message.error}`));
    else if (asked !== undefined) asked(message);
    else said.push(message);
  });

  const started = {
    pid: child.pid,
    failed,
    send: (message) => child.send(message, () => {}),
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
    answer: ({ anyTime = false } = {}) => {
      const next = new Promise((resolve) => {
        const taken = said.shift();
        if (taken !== undefined) resolve(taken);
        else
          asked = (message) => {
            asked = undefined;
            resolve(message);
          };
      });
      return Promise.race(anyTime ? [next, failed] : [next, failed, late()]);
    },
  };
  try {
    await started.answer();
    return started;
  } catch (error) {
    await started.kill();
    throw error;
  }
}

function late() {
  return new Promise((_, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the second process has not answered for ${PATIENCE_MS / 1000} s`)),
      PATIENCE_MS,
    );
    timer.unref();
  });
}

/** Leaves no process, and no terminal without its cursor, behind. */
async function leave(status) {
  display?.restore();
  await peer?.kill();
  process.exit(status);
}

process.on('SIGINT', () => {
  display?.restore();
  console.log('\ninterrupted');
  leave(130);
});
process.on('SIGTERM', () => leave(143));

await main().then(
  () => leave(0),
  (error) => {
    display?.restore();
    console.error(`\nThe demo failed: ${error.message}`);
    leave(1);
  },
);
