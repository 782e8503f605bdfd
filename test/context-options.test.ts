/** Contexts: options, use, shutdown and close. */
import { constants } from 'node:os';

import { describe, expect, it, onTestFinished } from 'vitest';

import {
  ArgumentError,
  Context,
  ContextClosedError,
  context,
  type OptionValue,
  Pair,
  Pull,
  Push,
  Socket,
  TimeoutError,
  ZmqError,
} from 'zeromq-threads';
import { optionNames } from '../dist/src/option-names.js';
import { CONTEXT_OPTION_ENTRIES } from '../dist/src/option-table.js';

import { isPending, turn, within } from './bounded.js';
import { linked, ofTest } from './linked.js';
import { endpoints, runNode } from './peers/index.js';

function newContext(options?: ConstructorParameters<typeof Context>[0]): Context {
  const made = new Context(options);
  onTestFinished(() => made.close({ timeout: 0 }).catch(() => {}));
  return made;
}

const closedError = expect.objectContaining({
  name: 'ContextClosedError',
  code: 'ETERM',
  errno: expect.any(Number),
});

/** Values that a fresh context takes and gives back. */
const samples: Record<string, OptionValue> = {
  ioThreads: 2,
  maxSockets: 50,
  maxMessageSize: 5000,
  threadNamePrefix: 7,
  ipv6: true,
  blocky: false,
};

describe('context options', () => {
  const names = CONTEXT_OPTION_ENTRIES.filter((entry) => !('draft' in entry)).map((entry) => entry.name);

  it('are covered', () => {
    expect(names).toEqual(expect.arrayContaining(Object.keys(samples)));
    expect(names).toEqual(
      expect.arrayContaining(['maxSocketsLimit', 'threadPriority', 'threadSchedulingPolicy']),
    );
  });

  it.each(CONTEXT_OPTION_ENTRIES.map((entry) => [entry.name, entry] as const))('%s', (name, entry) => {
    const made = newContext();
    const properties = made as unknown as Record<string, OptionValue>;
    const aliases = [name, entry.zmq, entry.zmq.toLowerCase(), ...optionNames(entry)];
    if (entry.access === 'w') {
      expect(() => made.getOption(name)).toThrow(ArgumentError);
      expect(() => made.getOption(name)).toThrow(/can only be set, not read$/);
    } else {
      const value = made.getOption(name);
      if (name !== 'ipv6' && name !== 'zeroCopyReceive')
        expect(value, 'the default of the table').toBe(entry.default);
      for (const alias of aliases) expect(made.getOption(alias), alias).toBe(value);
      if (entry.property !== false) expect(properties[name]).toBe(value);
    }
    if (entry.access === 'r') {
      expect(() => made.setOption(name, 1)).toThrow(/is read-only$/);
      return;
    }
    const sample = samples[name];
    if (sample !== undefined) {
      for (const alias of aliases) made.setOption(alias, sample);
      expect(made.getOption(name)).toBe(sample);
      properties[name] = sample;
      expect(properties[name]).toBe(sample);
      expect(newContext({ [name]: sample } as never).getOption(name)).toBe(sample);
    }
    for (const value of [
      undefined,
      null,
      'x',
      1.5,
      Number.NaN,
      -5,
      2 ** 40,
      5n,
      {},
      [],
      Symbol('x'),
      () => {},
    ]) {
      expect(() => made.setOption(name, value as never), String(value)).toThrow(ArgumentError);
      expect(() => made.setOption(name, value as never)).toThrow(new RegExp(`^${name}: expected .*, got `));
    }
    if (sample !== undefined) expect(made.getOption(name)).toBe(sample);
  });

  it.each(['nonsense', 'linger', '', 5, null, undefined, {}, '__proto__', 'constructor'])(
    'refuses %s as a name',
    (name) => {
      const made = newContext();
      expect(() => made.getOption(name as never)).toThrow(ArgumentError);
      expect(() => made.setOption(name as never, 1)).toThrow(
        /^option: expected the name of a context option, got /,
      );
      if (typeof name === 'string' && name !== '__proto__') {
        expect(() => new Context({ [name]: 1 } as never)).toThrow(ArgumentError);
      }
    },
  );

  it.each([null, 5, 'options', true, [], [1], () => {}])('refuses options that are %s', (options) => {
    expect(() => new Context(options as never)).toThrow(ArgumentError);
    expect(() => new Context(options as never)).toThrow(/^options: expected an object, got /);
  });

  it.each([0, -1, 1.5, 65, Number.NaN, '2', 2n, {}, null])('refuses ioWorkers %s', (ioWorkers) => {
    expect(() => new Context({ ioWorkers: ioWorkers as never })).toThrow(ArgumentError);
    expect(() => new Context({ ioWorkers: ioWorkers as never })).toThrow(
      /^ioWorkers: expected an integer from 1 to 64, got /,
    );
  });

  it('new sockets follow them', () => {
    const made = newContext({ blocky: false, ipv6: true });
    const pull = ofTest(new Pull({ context: made }));
    expect(pull.linger).toBe(0);
    expect(pull.ipv6).toBe(true);
  });

  it('maxMessageSize bounds what can be sent', async () => {
    const made = newContext({ maxMessageSize: 10 });
    const [pull, push] = linked(new Pull({ context: made }), new Push({ context: made }), endpoints.inproc());
    await push.send('short');
    expect(await within('short', pull.recv('utf8'))).toBe('short');
    expect(made.maxMessageSize).toBe(10);
  });

  it('maxSockets bounds how many sockets there can be', () => {
    const made = newContext({ maxSockets: 3 });
    const sockets = Array.from({ length: 3 }, () => ofTest(new Pull({ context: made })));
    expect(sockets.length).toBe(3);
    expect(() => new Pull({ context: made })).toThrow(
      expect.objectContaining({ code: 'EMFILE', errno: constants.errno.EMFILE }),
    );
  });

  it('ioThreads 0 will do for inproc', async () => {
    const made = newContext({ ioThreads: 0 });
    const [pull, push] = linked(new Pull({ context: made }), new Push({ context: made }), endpoints.inproc());
    await push.send('x');
    expect(await within('receiving', pull.recv('utf8'))).toBe('x');
    expect(() => ofTest(new Pull({ context: made })).bind(endpoints.tcp())).toThrow(
      expect.objectContaining({ code: 'EMTHREAD' }),
    );
  });

  it('sockets find each other through inproc within one context only', async () => {
    const name = endpoints.inproc();
    const [one, two] = [newContext(), newContext()];
    ofTest(new Pull({ context: one })).bind(name);
    const push = ofTest(new Push({ context: two }));
    push.connect(name);
    expect(push.trySend('to whoever binds it here')).toBe(true);
    const pull = ofTest(new Pull({ context: two }));
    pull.bind(name); // not taken: it is another context's
    expect(await within('receiving', pull.recv('utf8'))).toBe('to whoever binds it here');
  });

  it('ioWorkers share the sockets of a context', async () => {
    const made = newContext({ ioWorkers: 2 });
    expect(made.ioWorkers).toBe(2);
    expect(newContext().ioWorkers).toBe(undefined);
    const pairs = Array.from({ length: 4 }, () =>
      linked(new Pull({ context: made }), new Push({ context: made })),
    );
    const receives = pairs.map(([pull]) => pull.recv('utf8'));
    for (const [index, [, push]] of pairs.entries()) await push.send(`${index}`);
    expect(await within('all four', Promise.all(receives))).toEqual(['0', '1', '2', '3']);
  });

  it('an I/O worker of its own serves a socket with dedicatedWorker', async () => {
    const [pull, push] = linked(new Pull({ dedicatedWorker: true }), new Push({ dedicatedWorker: true }));
    const receive = pull.recv('utf8');
    await push.send('x');
    expect(await within('receiving', receive)).toBe('x');
  });

  // In a process of its own: each of these made libzmq abort it.
  it.each<[options: string, code: string]>([
    ['ioThreads: 257', 'ERR_INVALID_ARG'],
    ['ioThreads: 2147483647', 'ERR_INVALID_ARG'],
    ['maxSockets: 65536', 'ERR_INVALID_ARG'],
    ['maxSockets: 2147483647', 'ERR_INVALID_ARG'],
    ['threadSchedulingPolicy: 99', 'EINVAL'],
    ['threadAffinityCpuAdd: 1023', 'EINVAL'],
    ['threadAffinityCpuAdd: 2147483647', 'EINVAL'],
    ['threadSchedulingPolicy: 1, threadPriority: 1000', 'EINVAL'],
  ])('refuses %s instead of ending the process', async (options, code) => {
    const script = `
      import { Context, Pull } from 'zeromq-threads';
      try {
        const context = new Context({ ${options} });
        new Pull({ context }).bind('tcp://127.0.0.1:*');
        console.log('taken');
      } catch (error) {
        console.log(error.code === 'EPERM' ? '${code}' : error.code);
      }
      process.exit(0);`;
    const { code: status, stdout, stderr } = await runNode(script, [], { step: options });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: `${code}\n`, stderr: '' });
  });

  it('takes a real-time policy with or without a priority, in either order, if the process may have one', async () => {
    const script = `
      import { Context, Pair } from 'zeromq-threads';
      for (const options of [
        { threadSchedulingPolicy: 1 },
        { threadSchedulingPolicy: 2, threadPriority: 5 },
        { threadPriority: 5, threadSchedulingPolicy: 1 },
      ]) {
        try {
          const context = new Context(options);
          new Pair({ context }).bind('tcp://127.0.0.1:*');
          await context.close();
        } catch (error) {
          if (error.code !== 'EPERM') throw error;
        }
      }`;
    expect(await runNode(script, [], { step: 'real-time policies' })).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('the default context', () => {
  it('is what context() gives: an option set on the function itself, as in npm zeromq, is a TypeError', () => {
    expect(() => Object.assign(context, { blocky: false })).toThrow(TypeError);
    expect('blocky' in context).toBe(false);
  });

  it('is one and the same until it is closed, and made anew then', async () => {
    const first = context();
    expect(context()).toBe(first);
    const pull = new Pull();
    expect(pull.context).toBe(first);
    await within('closing it', first.close());
    expect(first.closed).toBe(true);
    expect(pull.closed).toBe(true);
    const second = context();
    expect(second).not.toBe(first);
    expect(second.closed).toBe(false);
    const [another, push] = linked(new Pull(), new Push());
    await push.send('x');
    expect(await within('receiving', another.recv('utf8'))).toBe('x');
  });
});

describe('Context.use', () => {
  it('closes the context after the body, with its sockets, and gives what the body returns', async () => {
    let seen: [Context, Socket] | undefined;
    const result = await within(
      'using',
      Context.use(async (made) => {
        const pull = new Socket(made, 'PULL');
        seen = [made, pull];
        pull.bind(endpoints.inproc());
        await turn();
        expect(made.closed).toBe(false);
        return 42;
      }),
    );
    expect(result).toBe(42);
    expect(seen!.map((object) => object.closed)).toEqual([true, true]);
  });

  it('takes options, and a body that is not async', async () => {
    expect(await Context.use((made) => made.ioThreads, { ioThreads: 3 })).toBe(3);
  });

  it('closes it after a throw, too', async () => {
    let seen: Context | undefined;
    const using = Context.use((made) => {
      seen = made;
      throw new RangeError('on purpose');
    });
    await expect(using).rejects.toThrow('on purpose');
    expect(seen!.closed).toBe(true);
  });

  it.each([undefined, null, 5, 'body', {}])('refuses %s as a body', async (body) => {
    await expect(Context.use(body as never)).rejects.toThrow(ArgumentError);
    await expect(Context.use(body as never)).rejects.toThrow(/^body: expected a function, got /);
  });

  it('is what await using does', async () => {
    let outer: Context;
    {
      await using made = new Context();
      outer = made;
      new Pull({ context: made });
    }
    expect(outer.closed).toBe(true);
  });
});

describe('shutdown', () => {
  it('ends all waiting with ContextClosedError', async () => {
    const made = newContext();
    const pull = ofTest(new Pull({ context: made }));
    const push = ofTest(new Push({ context: made }));
    pull.bind(endpoints.tcp());
    push.bind(endpoints.tcp());
    const waiting = [pull.recv(), pull.recvMultipart({ timeout: 60_000 }), push.send('x')];
    const settled = Promise.allSettled(waiting);
    expect(await isPending(settled, 20)).toBe(true);
    expect(made.shutdown()).toBe(undefined);
    for (const outcome of await within('all waits end', settled)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: closedError });
    }
    await expect(pull.recv()).rejects.toThrow(ZmqError);
    await expect(push.send('x')).rejects.toThrow(ZmqError);
    made.shutdown();
    pull.close();
    push.close();
    await within('closing after shutdown', made.close());
  });

  it('after close it does nothing', async () => {
    const made = new Context();
    await made.close();
    expect(made.shutdown()).toBe(undefined);
  });
});

describe('close', () => {
  it('resolves, and again', async () => {
    const made = new Context();
    expect(made.closed).toBe(false);
    const closing = made.close();
    expect(made.closed).toBe(true);
    expect(await within('closing', closing)).toBe(undefined);
    expect(await within('closing again', made.close())).toBe(undefined);
    await within('disposing', made[Symbol.asyncDispose]());
  });

  it('closes sockets that are open, and rejects what waits on them', async () => {
    const made = new Context();
    const pull = new Pull({ context: made });
    pull.bind(endpoints.tcp());
    const pending = expect(within('the receive', pull.recv())).rejects.toThrow(/closed/);
    const loop = (async () => {
      for await (const _ of pull) throw new Error('nothing was sent');
      return 'ended';
    })();
    await within('closing', made.close());
    await pending;
    expect(await within('the loop', loop)).toBe('ended');
    expect(pull.closed).toBe(true);
    expect(() => pull.tryRecv()).toThrow(closedError);
  });

  it('waits for unsent messages as long as told, and says whose they are', async () => {
    const made = new Context();
    const push = new Push({ context: made });
    const endpoint = await endpoints.unboundTcp();
    push.connect(endpoint);
    await push.send('never read');
    const error = await within(
      'closing',
      made.close({ timeout: 50 }).catch((reason: unknown) => reason),
    );
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ code: 'EAGAIN', timeoutSecs: 0.05 });
    expect((error as Error).message).toContain(`unsent messages of PUSH ${endpoint}`);
    expect(made.closed).toBe(true);
  });

  it('resolves as soon as they are sent', async () => {
    const made = new Context();
    const push = new Push({ context: made });
    const endpoint = await endpoints.unboundTcp();
    push.connect(endpoint);
    await push.send('read late');
    const closing = made.close({ timeout: 20_000 });
    expect(await isPending(closing, 20)).toBe(true);
    const pull = ofTest(new Pull());
    pull.bind(endpoint);
    expect(await within('receiving', pull.recv('utf8'))).toBe('read late');
    await within('closing', closing);
  });

  it('with timeout 0 drops them, which is no error', async () => {
    const made = new Context();
    const push = new Push({ context: made });
    push.connect(await endpoints.unboundTcp());
    await push.send('dropped');
    await within('closing', made.close({ timeout: 0 }));
  });

  it.each([-2, Number.NaN, Infinity, '5', null, 5n, {}])(
    'refuses timeout %s, and stays open',
    async (timeout) => {
      const made = newContext();
      const error = await made.close({ timeout: timeout as never }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ArgumentError);
      expect((error as Error).message).toMatch(/^timeout: expected a number of milliseconds/);
      expect(made.closed).toBe(false);
    },
  );

  it.each([null, 5, 'now'])('refuses options that are %s, and stays open', async (options) => {
    const made = newContext();
    await expect(made.close(options as never)).rejects.toThrow(/^options: expected an object, got /);
    expect(made.closed).toBe(false);
  });

  it('afterwards everything else says that it is closed', async () => {
    const made = new Context();
    await made.close();
    expect(() => made.getOption('ioThreads')).toThrow(closedError);
    expect(() => made.ioThreads).toThrow(ContextClosedError);
    expect(() => made.setOption('ioThreads', 2)).toThrow(closedError);
    expect(() => new Pair({ context: made })).toThrow(closedError);
    expect(() => new Socket(made, 'PAIR')).toThrow(closedError);
  });
});
