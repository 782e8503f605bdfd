/** docs/zmq-jl.md has every entry of the ZMQ.jl reference, with an example that works. */
import { describe, expect, it } from 'vitest';

import { checked, programsOf, runSample } from './doc-samples.js';

const PAGE = 'docs/zmq-jl.md';

/** The entries of the reference, as the page's headings name them. */
const ENTRIES = [
  'TimeoutError',
  'Socket(ctx::Context, typ::Integer)',
  'Socket(typ::Integer)',
  'bind(socket, endpoint)',
  'connect(socket, endpoint)',
  'recv(socket)',
  'recv(socket, ::T)',
  'send(socket, data; more=false)',
  'send(socket, zmsg::Message; more=false)',
  'send_multipart(socket, parts)',
  'socket types',
  'Message',
  'Message(len::Integer)',
  'Message(origin, m::Ptr, len)',
  'Message(m::String)',
  'Message(p::SubString)',
  'Message(a::DenseVector)',
  'isfreed(m)',
  'Poller',
  'Poller(sockets)',
  'Poller(items)',
  'Poller(f, args)',
  'wait(poller; timeout=-1)',
  'close(poller)',
  'PollItem(socket; readable=true, writable=false)',
  'context()',
];

const programs = programsOf(PAGE);

it('has an example with a checked claim for every entry of the reference, in its order', () => {
  const claiming = programs.filter(({ code, line }) => checked(code, line).claims.length > 0);
  expect([...new Set(claiming.map(({ heading }) => heading))]).toEqual(ENTRIES);
});

describe('each example works as it says', () => {
  it.each(programs.map((program) => [program.name, program] as const))('%s', async (_, program) => {
    await runSample(PAGE, program);
  });
});
