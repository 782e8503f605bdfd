/** What handlers and their threads do, on node:diagnostics_channel. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, it, onTestFinished } from 'vitest';

import { within } from './bounded.js';
import { endsOf, linesHandler, startLine } from './lines.js';
import { clientOf, start } from './serving.js';

type Told = Record<string, unknown> & { error: Error };

/** Collects what is published; `next` waits for one. */
function listen(name: string): { all: Told[]; next: () => Promise<Told> } {
  const all: Told[] = [];
  let wake = (): void => {};
  const hear = (message: unknown): void => {
    all.push(message as Told);
    wake();
  };
  subscribe(name, hear);
  onTestFinished(() => void unsubscribe(name, hear));
  const next = async (): Promise<Told> => {
    while (all.length === 0) {
      await within(`a message on ${name}`, new Promise<void>((resolve) => (wake = resolve)), 20_000);
    }
    return all.shift()!;
  };
  return { all, next };
}

it('a failed request, and a thread that dies and is replaced', async () => {
  const failed = listen('zeromq-threads:handler:failed');
  const threads = listen('zeromq-threads:handler:thread');
  const lost = listen('zeromq-threads:handler:lost');
  const { server } = await start({ threads: 1 });
  expect(await threads.next()).toMatchObject({ label: 'serve', type: 'started', thread: 0 });
  const ask = clientOf(server.endpoint);
  await ask('throw', 'of test');
  const failure = await failed.next();
  const parts = ({ message }: Told): string[][] => {
    const { envelope, frames } = message as { envelope: Uint8Array[]; frames: Uint8Array[] };
    return [envelope, frames].map((list) => list.map((frame) => String(Buffer.from(frame))));
  };
  expect(parts(failure)).toEqual([expect.any(Array), ['throw', 'of test']]);
  expect(failure).toMatchObject({ label: 'serve', thread: 0 });
  expect(failure.error.message).toBe('of test');
  await ask('exit', '3');
  const loss = await lost.next();
  expect(loss).toMatchObject({ label: 'serve', thread: 0, outcome: 'failed' });
  expect(parts(loss)[1]).toEqual(['exit', '3']);
  expect(parts(loss)[0]).toHaveLength(parts(failure)[0]!.length);
  expect(Object.keys(loss.message as object)).toEqual(Object.keys(failure.message as object));
  expect(await threads.next()).toMatchObject({ type: 'died', thread: 0 });
  expect(await threads.next()).toMatchObject({ type: 'started', thread: 0 });
});

it('a pipeline names its stages', async () => {
  const failed = listen('zeromq-threads:handler:failed');
  const { line } = await startLine({
    stages: [
      { handler: linesHandler('same'), threads: 1 },
      { handler: linesHandler('failing'), threads: 1 },
    ],
  });
  const { push } = endsOf(line);
  await push.send('3');
  expect(await failed.next()).toMatchObject({ label: 'pipeline stage 1', thread: 0 });
});
