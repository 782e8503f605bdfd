/** Proxies for one test: terminated when it ends. */
import { onTestFinished } from 'vitest';

import {
  type CommonSocket,
  type ProxyOptions,
  type ProxyStatistics,
  proxy,
  type Proxy as ZmqProxy,
} from 'zeromq-threads';

import { within } from './bounded.js';
import { ofTest } from './linked.js';
import { endpoints } from './peers/index.js';

/** Binds two sockets and runs a proxy between them. @returns it, and where they listen */
export function proxied<Front extends CommonSocket, Back extends CommonSocket>(
  frontend: Front,
  backend: Back,
  options?: ProxyOptions,
): { broker: ZmqProxy; frontend: Front; backend: Back; front: string; back: string } {
  ofTest(frontend);
  ofTest(backend);
  const [front, back] = [frontend.bind(endpoints.tcp()), backend.bind(endpoints.tcp())];
  const broker = proxy(frontend, backend, options);
  onTestFinished(() => broker.terminate());
  return { broker, frontend, backend, front, back };
}

/** Terminates a proxy. @returns what it had moved */
export async function terminated(broker: ZmqProxy): Promise<ProxyStatistics> {
  await within('the proxy terminates', broker.terminate());
  return broker.statistics();
}

type Tally = [messages: number, bytes: number];

/** Statistics without anything captured or undeliverable. */
export function counted(frontIn: Tally, frontOut: Tally, backIn: Tally, backOut: Tally): ProxyStatistics {
  const side = (into: Tally, out: Tally) => ({
    messagesIn: into[0],
    bytesIn: into[1],
    messagesOut: out[0],
    bytesOut: out[1],
    undeliverable: 0,
  });
  return {
    frontend: side(frontIn, frontOut),
    backend: side(backIn, backOut),
    captured: { messages: 0, bytes: 0 },
  };
}
