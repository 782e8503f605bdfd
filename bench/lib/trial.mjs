/** One trial: a fresh pair of processes over loopback tcp, both verified, both gone at the end. */
import { Child } from './child.mjs';
import { verifyRun } from './expected.mjs';
import { program } from './programs.mjs';

const TRIAL_SECONDS = 180;

/**
 * Runs one variant of a case once, with `count` messages. `binder` and `connector` are `{ library, role }`.
 * Resolves with both results, the figures drawn from them, and the libzmq each one ran on.
 */
export async function runTrial({ binder, connector, size, hwm, window, warmup = 0 }, figures, count) {
  const children = [];
  const start = (side, label, options) => {
    const child = new Child(label, program(side.library, side.role), options);
    children.push(child);
    return child;
  };
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${TRIAL_SECONDS} s`)), TRIAL_SECONDS * 1000);
  });
  const all = count + warmup;
  const run = async () => {
    const first = start(binder, `${binder.library} ${binder.role}`, {
      bind: 'tcp://127.0.0.1:*',
      count: all,
      size,
      hwm,
    });
    const { endpoint, libzmq } = await first.ready;
    const options = { connect: endpoint, count, size, hwm, window, warmup: warmup || undefined };
    const second = start(connector, `${connector.library} ${connector.role}`, options);
    const other = await second.ready;
    const [bound, connected] = await Promise.all([first.result, second.result]);
    verifyRun(`${binder.library} ${binder.role}`, bound, all, size);
    verifyRun(`${connector.library} ${connector.role}`, connected, all, size);
    return { bound, connected, figures: figures({ bound, connected }), libzmq: [libzmq, other.libzmq] };
  };
  try {
    return await Promise.race([run(), timeout]);
  } finally {
    clearTimeout(timer);
    for (const child of children) child.kill();
  }
}

/** Messages a second, from the clock of one process. */
export function rate({ timed, seconds }) {
  return timed / seconds;
}
