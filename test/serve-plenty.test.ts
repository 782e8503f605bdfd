/** What comes while every thread has plenty to do waits with libzmq: for nobody longer than it would have anyway. */
import { expect, it } from 'vitest';

import { within } from './bounded.js';
import { dealerTo, start } from './serving.js';

/** Sends all of it, numbered. */
function sendAll(
  dealer: ReturnType<typeof dealerTo>,
  requests: readonly (readonly string[])[],
): Promise<unknown> {
  return Promise.all(requests.map((request, number) => dealer.send([`${number}`, '', ...request])));
}

/** Gets so many replies, each to a request of its own. */
async function replies(dealer: ReturnType<typeof dealerTo>, count: number): Promise<Map<number, string>> {
  const came = new Map<number, string>();
  while (came.size < count) {
    const [number, , reply] = (
      await within(`reply ${came.size} of ${count}`, dealer.recvMultipart(), 20_000)
    ).map(String);
    expect(came.has(Number(number)), `${number} is answered once`).toBe(false);
    came.set(Number(number), reply!);
  }
  return came;
}

const echoes = (count: number): string[][] => Array.from({ length: count }, () => ['echo']);

it('each is answered, whatever was asked for while the threads were busy', async () => {
  const { server } = await start({ threads: 2 });
  const dealer = dealerTo(server.endpoint);
  // Both threads are held up with a hundred waiting behind; what follows comes meanwhile.
  await sendAll(dealer, [['spin', '300'], ['spin', '300'], ...echoes(200)]);
  await replies(dealer, 1);
  const late = dealerTo(server.endpoint);
  await sendAll(late, echoes(1000));
  await Promise.all([replies(late, 1000), replies(dealer, 201)]);
});

it('what is in progress is no plenty: handlers that wait for something do not keep others from beginning', async () => {
  const { server } = await start({ threads: 2, concurrency: 1000 });
  const dealer = dealerTo(server.endpoint);
  await sendAll(
    dealer,
    Array.from({ length: 400 }, () => ['sleep', '60000']),
  );
  await within(
    'all have begun',
    (async () => {
      while (server.stats().threads.reduce((sum, { inProgress }) => sum + inProgress, 0) < 400)
        await new Promise(setImmediate);
    })(),
  );
  const second = dealerTo(server.endpoint);
  await sendAll(second, echoes(50));
  await replies(second, 50);
});

it('a thread that is held up with plenty behind it does not keep others from theirs', async () => {
  const { server } = await start({ threads: 3, route: 'round-robin' });
  const dealer = dealerTo(server.endpoint);
  await sendAll(dealer, [['spin', '2000'], ...echoes(600)]);
  // All that went to the other two, and what came after them.
  const came = await replies(dealer, 400);
  expect(came.has(0)).toBe(false);
  await replies(dealer, 201);
});

it('a thread that dies while what comes waits: each is answered or reported', async () => {
  const { server, errors } = await start({ threads: 2, retries: 0 });
  const dealer = dealerTo(server.endpoint);
  const fatal = new Set([0, 150, 700]);
  await sendAll(
    dealer,
    Array.from({ length: 1200 }, (_, n) => (fatal.has(n) ? ['exit', '1'] : ['echo'])),
  );
  const came = await replies(dealer, 1200);
  for (const [number, reply] of came)
    expect(reply.includes('HandlerError'), `${number}`).toBe(fatal.has(number));
  expect(errors.filter(({ info }) => info.type === 'lost')).toHaveLength(fatal.size);
});

it('close() drains what was accepted, and takes nothing of what waits for ever', async () => {
  const { server } = await start({ threads: 2 });
  const dealer = dealerTo(server.endpoint);
  await sendAll(dealer, [['spin', '200'], ['spin', '200'], ...echoes(2000)]);
  const first = await replies(dealer, 1);
  expect(first.size).toBe(1);
  const { handled } = await within(
    'it closes',
    server.close({ drain: true, timeout: 10_000 }).then(() => server.stats()),
  );
  expect(handled).toBeGreaterThan(1);
});
