/** Messages that no chunk takes: more than 4 GiB in all. test/refused-messages.test.ts does the same with a lower limit. */
import { expect, it } from 'vitest';

import { within } from '../bounded.js';
import { dealerTo, start } from '../serving.js';

const GIB = 1024 ** 3;
const MINUTES = 60_000;

it('a request of more than 4 GiB is answered with an error and reported, and the server goes on', async () => {
  const { server, told } = await start();
  const dealer = dealerTo(server.endpoint);
  const quarter = new Uint8Array(new SharedArrayBuffer(GIB)); // lent, not copied
  await dealer.send(['', quarter, quarter, quarter, quarter, Buffer.alloc(64 * 1024)]);
  const [, reply] = await within('the reply', dealer.recvMultipart(), 5 * MINUTES);
  expect(JSON.parse(String(reply)).error).toMatchObject({ code: 'EMSGSIZE' });
  expect((await told('refused')).error.message).toMatch(
    /^Cannot receive: Message too long: 4295033008 bytes of shared memory, 4294963200 at most \(EMSGSIZE\)$/,
  );
  expect(server.stats()).toMatchObject({ dropped: 1, inFlight: 0 });
  await dealer.send(['', 'after']);
  expect((await within('the reply to another', dealer.recvMultipart())).map(String)).toEqual(['', 'after']);
});
