/** Answers with what it got, and obeys a first frame that says what else to do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { threadId, workerData } from 'node:worker_threads';

let setups = 0;

export function setup() {
  setups += 1;
}

const commands = {
  throw: (text) => {
    throw new RangeError(String(text ?? 'thrown'));
  },
  reject: async (text) => {
    await sleep(1);
    throw Object.assign(new Error(String(text ?? 'rejected')), { code: 'E_MINE' });
  },
  string: () => {
    throw 'only a string';
  },
  exit: (code) => process.exit(Number(code ?? 0)),
  spin: (milliseconds) => {
    const until = performance.now() + Number(milliseconds);
    while (performance.now() < until);
    return 'spun';
  },
  stray: async () => {
    setTimeout(() => {
      throw new Error('stray');
    });
    await sleep(60_000);
  },
  memory: () => {
    const hoard = [];
    for (;;) hoard.push(new Array(100_000).fill(hoard.length));
  },
  sleep: async (milliseconds) => {
    await sleep(Number(milliseconds));
    return 'slept';
  },
  nothing: () => undefined,
  empty: () => [],
  object: () => ({ not: 'sendable' }),
  objects: () => ['sendable', { not: 'sendable' }],
  parts: () => ['a', Buffer.from('b'), 3, null],
  thread: (_, context) => [String(context.thread), String(threadId), String(setups)],
  data: () => JSON.stringify({ workerData, env: process.env.OF_TEST }),
  peer: (_, context) => [String(context.peerAddress), context.routingId, String(context.attempt)],
  // Dies until it was tried so often.
  until: (attempt, context) =>
    context.attempt < Number(attempt) ? process.exit(1) : `at attempt ${context.attempt}`,
  log: (text, context) => {
    context.logger.warn('said', String(text));
    return 'logged';
  },
  logAll: (_text, context, request) => {
    context.logger.info(request);
    return 'logged';
  },
  logOdd: (_, context) => {
    context.logger.info('odd', Object.create(null), Symbol('s'));
    return 'logged';
  },
  badThenable: (how) => ({
    // biome-ignore lint/suspicious/noThenProperty: it is what it is about
    get then() {
      if (String(how) === 'get') throw new RangeError('no then');
      return (resolve, reject) => {
        if (String(how) === 'call') throw new RangeError('no then');
        resolve('once');
        resolve('twice');
        reject(new Error('thrice'));
      };
    },
  }),
  // A promise by birth, which does not behave like one.
  badPromise: (what) => {
    const [name, how] = String(what).split(' ');
    const no = () => {
      throw new RangeError(`no ${what}`);
    };
    return Object.defineProperty(
      Promise.resolve('resolved'),
      name,
      how === 'get' ? { get: no } : { value: no },
    );
  },
  revoked: () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    throw proxy;
  },
  countless: () =>
    new Proxy(['a'], {
      get: (target, name) => {
        if (name === 'length') throw new RangeError('no length');
        return target[name];
      },
    }),
  shift: (_, _context, request) => {
    request.shift();
    throw new RangeError('shifted');
  },
  cut: async (_, _context, request) => {
    request.length = 0;
    throw new RangeError('cut');
  },
  replace: (_, _context, request) => {
    request[1] = 'no frame';
    throw new RangeError('replaced');
  },
  unreadable: () => {
    throw Object.defineProperty(new Error(), 'message', {
      get() {
        throw new RangeError('no message');
      },
    });
  },
  strayNull: async () => {
    setTimeout(() => {
      throw null;
    });
    await sleep(60_000);
  },
  strayRejection: async () => {
    void Promise.reject(new Error('stray'));
    await sleep(60_000);
  },
  // Asks for its signal only when its time is up, and logs what it was then.
  lateSignal: async (milliseconds, context) => {
    await sleep(Number(milliseconds));
    context.logger.info(context.signal.aborted, context.signal.reason?.name);
  },
  signal: (_, context) =>
    new Promise((resolve) => {
      context.signal.addEventListener('abort', () => resolve(`aborted: ${context.signal.reason.name}`));
    }),
};

export default function echo(request, context) {
  const command = commands[String(request[0])];
  return command === undefined ? request : command(request[1], context, request);
}

export function upper(request) {
  return request.map((frame) => String(frame).toUpperCase());
}

export const notAFunction = 42;
