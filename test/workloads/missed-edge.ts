/** Runs missed-edge.mjs in a process of its own, so that a stall can be told even when every thread of it blocks. */
import { expect, test } from 'vitest';

import { runNode } from '../peers/index.js';
import { STALL_MS } from './stall.js';

export const scenarios = ['one-thread', 'two-threads', 'shared', 'senders', 'blocking'] as const;
export const transports = ['tcp', 'inproc', 'ipc'] as const;

export interface Hunt {
  scenario: (typeof scenarios)[number];
  transport: (typeof transports)[number];
  messages: number;
  /** The high-water mark of both ends; 0 for the default. */
  mark?: number;
  /** How many messages each end lets be under way; 0 for any number. */
  window?: number;
}

let seed = 0;

export function hunt({ scenario, transport, messages, mark = 0, window = 0 }: Hunt): void {
  seed += 1;
  const run = [scenario, transport, `${messages}`, `${seed}`, `${mark}`, `${window}`];
  test(`${messages} messages, ${scenario}, ${transport}, mark ${mark}, window ${window}`, async () => {
    const result = await runNode(new URL('./missed-edge.mjs', import.meta.url), run, {
      step: `missed-edge.mjs ${run.join(' ')}`,
      timeout: 60_000 + messages * 2,
      env: { ZMQT_STALL_MS: `${STALL_MS}` },
    });
    expect(result, `missed-edge.mjs ${run.join(' ')}: ${result.stderr}`).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(JSON.parse(result.stdout)).toMatchObject({ scenario, messages: expect.any(Number) });
  });
}
