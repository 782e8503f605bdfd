/** Servers and clients for the tests of serve(): closed when the test ends. */
import { onTestFinished } from 'vitest';
import { Dealer, Request, type ServeOptions, type Server, type ServerErrorInfo, serve } from 'zeromq-threads';

import { within } from './bounded.js';

export const handlerOf = (name: string): URL => new URL(`./handlers/${name}`, import.meta.url);

export interface Told {
  readonly error: Error;
  readonly info: ServerErrorInfo;
}

/** A server, with every error that it raised so far. */
export async function start(
  options: Partial<ServeOptions> = {},
): Promise<{ server: Server; errors: Told[]; told: (type: string) => Promise<Told> }> {
  const server = await within(
    'the server starts',
    serve({ bind: 'tcp://127.0.0.1:*', handler: handlerOf('echo.mjs'), threads: 2, ...options }),
    20_000,
  );
  onTestFinished(async () => {
    await within('the server closes', server.close({ drain: false }), 20_000);
  });
  const errors: Told[] = [];
  const waiting: Array<() => void> = [];
  server.on('error', (error, info) => {
    errors.push({ error, info });
    for (const wake of waiting.splice(0)) wake();
  });
  const told = async (type: string): Promise<Told> => {
    for (;;) {
      const found = errors.find(({ info }) => info.type === type);
      if (found !== undefined) return found;
      await within(
        `the server tells of '${type}'`,
        new Promise<void>((resolve) => waiting.push(resolve)),
        20_000,
      );
    }
  };
  return { server, errors, told };
}

export function dealerTo(endpoint: string): Dealer {
  const dealer = new Dealer({ linger: 0 });
  dealer.connect(endpoint);
  onTestFinished(() => dealer.close());
  return dealer;
}

/** Asks as a REQ peer; the reply as strings. */
export function clientOf(endpoint: string): (...request: string[]) => Promise<string[]> {
  const socket = new Request({ linger: 0, relaxed: true, correlate: true });
  socket.connect(endpoint);
  onTestFinished(() => socket.close());
  return async (...request) => {
    await socket.send(request);
    const reply = await within(`the reply to ${request.join(' ')}`, socket.recvMultipart(), 20_000);
    return reply.map(String);
  };
}
