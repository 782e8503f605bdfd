/** Proxies that end under load, in every way, at random moments. Short and long runs share this. */
import { expect } from 'vitest';

import {
  Context,
  ContextClosedError,
  Dealer,
  Pull,
  Push,
  proxy,
  Router,
  SocketClosedError,
  type Proxy as ZmqProxy,
} from 'zeromq-threads';

import { turn, within } from '../bounded.js';
import { ofTest } from '../linked.js';
import { endpoints, startPeer } from '../peers/index.js';

/** Anything from at once to a few turns of the event loop. */
async function aMoment(): Promise<void> {
  const until = performance.now() + Math.random() * 3;
  while (performance.now() < until) await turn();
}

/**
 * PULL to PUSH: the proxy ends and another takes over its sockets, again and again, while numbers pass. Each must come
 * out once and in order: those that an ended proxy had in hand, too.
 *
 * @returns how many numbers passed
 */
export async function terminateStreamer(rounds: number): Promise<number> {
  const [frontend, backend] = [ofTest(new Pull()), ofTest(new Push())];
  const [push, pull] = [ofTest(new Push()), ofTest(new Pull())];
  push.connect(frontend.bind(endpoints.tcp()));
  pull.connect(backend.bind(endpoints.tcp()));
  let sent = 0;
  let enough = false;
  const sending = (async () => {
    for (; !enough; sent += 1) await push.send([`${sent}`, Buffer.alloc(sent % 300)]);
    await push.send('end');
  })();
  let received = 0;
  const receiving = (async () => {
    for await (const [number, filling] of pull) {
      if (String(number) === 'end') break;
      if (Number(number) !== received || filling?.length !== received % 300) {
        throw new Error(`${number} came, with ${filling?.length} bytes, instead of ${received}`);
      }
      received += 1;
    }
  })();
  receiving.catch(() => {});
  let moved = 0;
  for (let round = 0; round < rounds; round += 1) {
    const streamer = proxy(frontend, backend);
    await aMoment();
    if (round % 3 === 1) streamer.pause();
    if (round % 3 === 2) streamer.statistics();
    await within(`round ${round}: the proxy terminates`, streamer.terminate());
    const { frontend: from, backend: to } = streamer.statistics();
    // What it had in hand counts as sent by the next one, or by the socket itself.
    expect(to.messagesOut, `round ${round}`).toBeLessThanOrEqual(from.messagesIn);
    moved += from.messagesIn;
  }
  const last = proxy(frontend, backend);
  enough = true;
  await within('all is sent', sending);
  await within('all is received', receiving);
  await within('the last proxy terminates', last.terminate());
  expect(received, 'what came out').toBe(sent);
  expect(moved + last.statistics().frontend.messagesIn, 'what the proxies took in').toBe(sent + 1);
  return received;
}

/** ROUTER and DEALER between peers in C: no request and no reply is lost, whichever proxy it meets. */
export async function terminateBroker(rounds: number): Promise<number> {
  const [frontend, backend] = [ofTest(new Router()), ofTest(new Dealer())];
  const [front, back] = [frontend.bind(endpoints.tcp()), backend.bind(endpoints.tcp())];
  const servers = await Promise.all(
    [1, 2].map(() => startPeer('c', 'echo', { connect: back, timeout: 600_000 })),
  );
  let done = 0;
  let enough = false;
  const clients = [1, 2].map(async () => {
    while (!enough) {
      const options = {
        type: 'DEALER',
        delimiter: true,
        connect: front,
        window: 50,
        unordered: true,
      } as const;
      const client = await startPeer('c', 'request', { ...options, count: 3000, sizes: [9, 200] });
      done += (await client.result()).received;
    }
  });
  for (const client of clients) client.catch(() => {});
  for (let round = 0; round < rounds; round += 1) {
    const broker = proxy(frontend, backend);
    await aMoment();
    await within(`round ${round}: the proxy terminates`, broker.terminate());
  }
  const last = proxy(frontend, backend);
  enough = true;
  await within('every request is answered', Promise.all(clients), 60_000);
  await last.terminate();
  for (const server of servers) await server.stop();
  return done;
}

/** What takes sockets away from under a running proxy, and the error that tells of it. */
const ENDS = {
  'terminate, closeSockets': [(broker: ZmqProxy) => broker.terminate(), undefined],
  'frontend.close()': [(broker: ZmqProxy) => broker.frontend.close(), SocketClosedError],
  'backend.close()': [(broker: ZmqProxy) => broker.backend.close(), SocketClosedError],
  'capture.close()': [(broker: ZmqProxy) => broker.capture?.close(), SocketClosedError],
  'context.close()': [(_: ZmqProxy, context: Context) => context.close(), ContextClosedError],
  'context.shutdown()': [(_: ZmqProxy, context: Context) => context.shutdown(), ContextClosedError],
} as const;

export type ProxyEnd = keyof typeof ENDS;
export const PROXY_ENDS = Object.keys(ENDS) as ProxyEnd[];

/**
 * A new proxy each round, under load both ways and with a capture; every other one is paused when it ends.
 *
 * Messages have one frame: libzmq 4.3.4 aborts (its issue 3442) when a connection breaks at the moment
 * in which its socket closes without linger and a message of several frames is half written.
 */
export async function endUnderLoad(end: ProxyEnd, rounds: number): Promise<void> {
  const [act, Reason] = ENDS[end];
  const outside = new Context();
  for (let round = 0; round < rounds; round += 1) {
    const context = new Context();
    const inside = { context, linger: 0 };
    const [frontend, backend, capture] = [new Dealer(inside), new Dealer(inside), new Push(inside)];
    const peers = [1, 2].map(() => new Dealer({ context: outside, linger: 0, sendHighWaterMark: 100 }));
    const captured = new Pull({ context: outside, linger: 0 });
    peers[0]!.connect(frontend.bind(endpoints.tcp()));
    peers[1]!.connect(backend.bind(endpoints.tcp()));
    captured.connect(capture.bind(endpoints.tcp()));
    const broker = proxy(frontend, backend, { capture, closeSockets: end.endsWith('closeSockets') });
    const load: Promise<unknown>[] = [...peers, captured].map(async (peer) => {
      for await (const _ of peer);
    });
    for (const peer of peers) {
      const sending = (async () => {
        for (let n = 0; ; n += 1) await peer.send(Buffer.alloc(n % 2000));
      })();
      load.push(expect(sending).rejects.toThrow(SocketClosedError));
    }
    await aMoment();
    if (round % 2 === 1) broker.pause();
    await act(broker, context);
    const ended = broker.finished.then(
      () => undefined,
      (error: unknown) => error,
    );
    const reason = await within(`round ${round}: the proxy ends`, ended);
    if (Reason === undefined) expect(reason).toBe(undefined);
    else expect(reason).toBeInstanceOf(Reason);
    if (end.endsWith('closeSockets')) {
      expect([frontend.closed, backend.closed, capture.closed]).toEqual([true, true, true]);
    }
    await within(`round ${round}: the context closes`, context.close());
    for (const peer of [...peers, captured]) peer.close();
    await within(`round ${round}: the load ends`, Promise.all(load));
  }
  await within('the other context closes', outside.close());
}
