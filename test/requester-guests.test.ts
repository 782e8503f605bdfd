/** Requester: servers that connect to it, beside those that it connects to. */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Dealer, type Requester, Router } from 'zeromq-threads';

import { isPending, within } from './bounded.js';
import { ofTest } from './linked.js';
import { endpoints } from './peers/index.js';
import { PATIENT, requesterOf } from './requesting.js';

/** Answers with its name. */
function serving(socket: Router | Dealer, name: string): void {
  void (async () => {
    for await (const frames of socket) await socket.send([...frames.slice(0, -1), name]);
  })();
}

/** A server that listens. @returns where */
function listening(name: string): string {
  const router = ofTest(new Router({ linger: 0 }));
  const endpoint = router.bind(endpoints.tcp());
  serving(router, name);
  return endpoint;
}

function asking(requester: Requester, count: number): Promise<string[]> {
  const requests = Array.from({ length: count }, (_, n) => requester.request(String(n)));
  return Promise.all(requests.map((request) => request.then(String, ({ name }) => name)));
}

test.each(['tcp', 'ipc', 'inproc'] as const)(
  'over %s nobody connects here: what is asked before a server is there waits for it',
  async (transport) => {
    const connect = listening('a');
    const requester = requesterOf({ bind: endpoints[transport](), connect, timeout: PATIENT, retries: 0 });
    const early = asking(requester, 8);
    expect(await within('all answers', early, PATIENT)).toEqual(Array(8).fill('a'));
    requester.disconnect(connect);
    const homeless = asking(requester, 10);
    expect(await isPending(homeless)).toBe(true);
    requester.connect(listening('b'));
    expect(await within('answers of the other', homeless, PATIENT)).toEqual(Array(10).fill('b'));
  },
);

test('a Requester that has lost its only server asks the next one all that waits', async () => {
  const first = listening('first');
  const requester = requesterOf({ connect: first, timeout: PATIENT, retries: 0 });
  expect(await within('the first answer', asking(requester, 1), PATIENT)).toEqual(['first']);
  requester.disconnect(first);
  const waiting = asking(requester, 10);
  requester.connect(listening('next'));
  expect(await within('the next answers', waiting, PATIENT)).toEqual(Array(10).fill('next'));
});

test('servers that connect here are asked while they are there', async () => {
  const requester = requesterOf({ bind: endpoints.tcp(), timeout: PATIENT, retries: 0 });
  const [bound] = requester.endpoints;
  const early = asking(requester, 5);
  const guest = ofTest(new Dealer({ linger: 0 }));
  guest.connect(bound!);
  serving(guest, 'guest');
  expect(await within('answers of the guest', early, PATIENT)).toEqual(Array(5).fill('guest'));
  requester.connect(listening('a'));
  const seen = new Set<string>();
  while (seen.size < 2) for (const name of await asking(requester, 2)) seen.add(name);
  expect(seen).toEqual(new Set(['guest', 'a']));
  guest.close();
  // What it was asked and has not answered is not asked again: it may have gone with that.
  const ask = (): Promise<string> => requester.request('who?', { timeout: 200, retries: 20 }).then(String);
  await expect.poll(async () => [await ask(), await ask()].join(), { timeout: PATIENT }).toBe('a,a');
  expect(await within('answers of the one that is left', asking(requester, 10))).toEqual(Array(10).fill('a'));
});

test('a stranger that connects and says nothing holds no requests back', async () => {
  const requester = requesterOf({ bind: endpoints.tcp(), timeout: PATIENT, retries: 0 });
  const stranger = connectTcp(Number(new URL(requester.endpoints[0]!).port), '127.0.0.1');
  onTestFinished(() => void stranger.destroy());
  const waiting = asking(requester, 6);
  // The greeting: it has been accepted.
  await within('it is there', once(stranger, 'data'), PATIENT);
  requester.connect(listening('a'));
  expect(await within('all answers', waiting, PATIENT)).toEqual(Array(6).fill('a'));
});
