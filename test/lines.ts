/** Pipelines for the tests: closed when the test ends. */
import { onTestFinished } from 'vitest';
import {
  type Pipeline,
  type PipelineErrorInfo,
  type PipelineOptions,
  Pull,
  Push,
  pipeline,
} from 'zeromq-threads';

import { within } from './bounded.js';

export const linesHandler = (name = 'default'): URL =>
  new URL(`./handlers/lines.mjs#${name}`, import.meta.url);

export interface Reported {
  readonly error: Error;
  readonly info: PipelineErrorInfo;
}

/** A pipeline with a PULL source and a PUSH sink unless told, and every error that it raised so far. */
export async function startLine(
  options: Partial<PipelineOptions> = {},
): Promise<{ line: Pipeline; errors: Reported[] }> {
  const line = await within(
    'the pipeline starts',
    pipeline({
      source: { type: 'PULL', bind: 'tcp://127.0.0.1:*' },
      sink: { type: 'PUSH', bind: 'tcp://127.0.0.1:*' },
      ...(options.stages === undefined && { threads: 2, handler: linesHandler() }),
      ...options,
    }),
    20_000,
  );
  onTestFinished(async () => {
    await within('the pipeline closes', line.close({ drain: false }), 20_000);
  });
  const errors: Reported[] = [];
  line.on('error', (error, info) => errors.push({ error, info }));
  return { line, errors };
}

/** A sender and a receiver at its ends. */
export function endsOf(line: Pipeline): { push: Push; pull: Pull } {
  const push = new Push({ linger: 0 });
  const pull = new Pull();
  onTestFinished(() => {
    push.close();
    pull.close();
  });
  push.connect(line.endpoint);
  if (line.sinks[0] !== undefined) pull.connect(line.sinks[0]);
  return { push, pull };
}

/** Sends the numbers below `count`, as text. */
export async function sendNumbers(push: Push, count: number, first = 0): Promise<void> {
  for (let n = first; n < first + count; n += 1) await push.send(String(n));
}

/** The next `count` messages, as strings. */
export async function take(pull: Pull, count: number): Promise<string[][]> {
  const messages: string[][] = [];
  for (let n = 0; n < count; n += 1) {
    messages.push((await within(`message ${n} of ${count}`, pull.recvMultipart(), 20_000)).map(String));
  }
  return messages;
}
