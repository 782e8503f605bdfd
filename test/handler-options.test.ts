/** Options of serve() and pipeline() that are refused, because they would do nothing, or something else. */
import { SHARE_ENV } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { ArgumentError, pipeline, serve } from 'zeromq-threads';

import { within } from './bounded.js';
import { clientOf, handlerOf, start } from './serving.js';

const handler = handlerOf('echo.mjs');

/** What both take. */
const SHARED: [string, object, RegExp][] = [
  [
    'route with another name',
    { route: { key: 'header', frame: 1 } },
    /^route: expected only key, got 'frame'$/,
  ],
  [
    'key with another name',
    { route: { key: { form: 1 } } },
    /^route\.key: expected only frame, start, end, got 'form'$/,
  ],
  [
    'key that is an array',
    { route: { key: [] } },
    /^route\.key: expected 'header', .*, got array of length 0$/,
  ],
  ['circuit', { circuit: 5 }, /^circuit: expected an object, got number 5$/],
  ['threads', { threads: null }, /^threads: expected an integer from 1 to 1024, got null$/],
  ['timeout', { timeout: null }, /^timeout: expected a number of milliseconds/],
  [
    'setupTimeout',
    { setupTimeout: '5' },
    /^setupTimeout: expected a number of milliseconds from 0 up, or -1/,
  ],
  [
    'workerData',
    { workerData: () => 1 },
    /^workerData: expected what can be cloned, but \(\) => 1 could not/,
  ],
  ['execArgv', { execArgv: [5] }, /^execArgv: expected an array of strings/],
  [
    'option of node',
    { execArgv: ['--no-such'] },
    /^execArgv: expected options of node for Workers: .*--no-such/,
  ],
  ['env', { env: 'x' }, /^env: expected an object, or SHARE_ENV, got string 'x'$/],
  [
    'resource limit',
    { resourceLimits: { maxOldGenerationSizeMb: '5' } },
    /^resourceLimits\.maxOldGenerationSizeMb: expected a positive number of megabytes, got string '5'$/,
  ],
  [
    'name of a resource limit',
    { resourceLimits: { maxOld: 5 } },
    /^resourceLimits: expected only max.*, got 'maxOld'$/,
  ],
  [
    'host of a handler',
    { handler: 'file://elsewhere/x.mjs' },
    /^handler: expected .*elsewhere\/x\.mjs': File URL host/,
  ],
  ['slash in a handler', { handler: 'file:///a%2Fb.mjs' }, /^handler: expected .*: File URL path must not/],
  ['name of an export', { handler: `${handler.href}#%zz` }, /^handler: expected .*: URI malformed$/],
];

async function refusal(starting: Promise<unknown>): Promise<string> {
  const error = await within(
    'it is refused',
    starting.then(
      () => undefined,
      (reason: unknown) => reason,
    ),
    20_000,
  );
  expect(error).toBeInstanceOf(ArgumentError);
  return (error as ArgumentError).message;
}

describe('serve() refuses a bad', () => {
  it.each([
    ...SHARED,
    ['socketOptions', { socketOptions: 5 }, /^socketOptions: expected an object, got number 5$/],
    ['socketOptions, null', { socketOptions: null }, /^socketOptions: expected an object, got null$/],
  ])('%s', async (_, options, words) => {
    const bind = 'tcp://127.0.0.1:*';
    expect(await refusal(serve({ bind, handler, threads: 1, ...(options as object) }))).toMatch(words);
  });
});

describe('pipeline() refuses a bad', () => {
  const source = { type: 'SUB' as const, bind: 'tcp://127.0.0.1:*' };
  it.each([
    ...SHARED,
    [
      'socketOptions',
      { source: { ...source, socketOptions: true } },
      /^source\.socketOptions: expected an object, got boolean true$/,
    ],
    [
      'socketOptions of a sink',
      { sink: { type: 'PUSH', bind: 'tcp://127.0.0.1:*', socketOptions: 'x' } },
      /^sink\.socketOptions: expected an object, got string 'x'$/,
    ],
    [
      'topic',
      { source: { ...source, subscribe: 5 } },
      /^source\.subscribe: expected a topic .*, got number 5$/,
    ],
    [
      'list of topics',
      { source: { ...source, subscribe: [] } },
      /^source\.subscribe: .*, got array of length 0$/,
    ],
    [
      'key, since only ROUTER sources know peers',
      { route: { key: 'peer' } },
      /^route\.key: 'peer' is known of messages from ROUTER sources only$/,
    ],
  ])('%s', async (_, options, words) => {
    expect(await refusal(pipeline({ source, handler, threads: 1, ...options } as never))).toMatch(words);
  });

  it('key of a later stage', async () => {
    const router = { type: 'ROUTER' as const, bind: 'tcp://127.0.0.1:*' };
    const stages = [
      { handler, route: { key: 'peer' as const } },
      { handler, route: { key: 'peer' as const } },
    ];
    expect(await refusal(pipeline({ source: router, stages }))).toMatch(/^route\.key: 'peer'/);
  });
});

it('the environment may be shared', async () => {
  const { server } = await start({ env: SHARE_ENV, threads: 1 });
  process.env.OF_TEST = 'shared';
  const [answer] = await clientOf(server.endpoint)('data');
  delete process.env.OF_TEST;
  expect(JSON.parse(answer!)).toMatchObject({ env: 'shared' });
});

it.each([
  ['timeout', { timeout: 2 ** 40 }],
  ['grace', { timeout: 10, grace: 2 ** 40 }],
  ['grace, endless', { timeout: 10, grace: -1 }],
  ['setupTimeout', { setupTimeout: 2 ** 40 }],
])('a %s that no timer takes is as good as none', async (_, options) => {
  const { server, errors } = await start({ ...options, threads: 1 });
  const ask = clientOf(server.endpoint);
  if (!('grace' in options)) expect(await ask('sleep', '50')).toEqual(['slept']);
  expect(await ask('spin', '1200')).toEqual(['spun']);
  expect(errors).toEqual([]);
});
