/** Requests for which there is no memory: from some moment on the server's process gets no more address space. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ServerStats } from 'zeromq-threads';

import { isPending, within } from './bounded.js';
import { type LineProcess, moduleFile, startNode } from './peers/index.js';
import { dealerTo } from './serving.js';

const MIB = 1024 ** 2;
const LARGE = Buffer.alloc(256 * MIB);
const NO_MEMORY = /^Cannot receive: Cannot allocate memory: \d+ bytes of shared memory \(ENOMEM\)$/;
const SECONDS = 1000;

/** Answers with the size of its last frame; a request that begins with `hold` only after the main thread said `go`. */
const HANDLER = `
  import { BroadcastChannel } from 'node:worker_threads';

  const channel = new BroadcastChannel('go');
  const go = new Promise((resolve) => (channel.onmessage = resolve));
  channel.unref();
  export default async (frames) => {
    if (String(frames[0]) === 'hold') await go;
    return String(frames.at(-1).length);
  };
`;

/** A server in a process of its own, with what asks it. */
async function started() {
  const child = startNode(
    `
      import { createInterface } from 'node:readline';
      import { BroadcastChannel } from 'node:worker_threads';
      import { serve } from 'zeromq-threads';
      const server = await serve({
        bind: 'tcp://127.0.0.1:*',
        handler: new URL(${JSON.stringify(moduleFile(HANDLER))}),
        threads: 2,
      });
      server.on('error', (error, { type }) => console.log('error ' + type + ': ' + error.message));
      const go = new BroadcastChannel('go');
      console.log(server.endpoint);
      for await (const line of createInterface(process.stdin)) {
        if (line === 'go') go.postMessage('');
        else console.log('stats ' + JSON.stringify(server.stats()));
      }
    `,
    [],
    { step: 'a server with little memory' },
  );
  const endpoint = await lineOf(child, '');
  const dealer = dealerTo(endpoint);
  const reply = async (step: string): Promise<string[]> =>
    (await within(step, dealer.recvMultipart(), 20 * SECONDS)).map(String);
  await dealer.send(['first', '', 'a']);
  expect(await reply('the first reply')).toEqual(['first', '', '1']);
  const stats = async (): Promise<ServerStats> => {
    const before = child.lines.length;
    child.write('stats\n');
    return JSON.parse(await lineOf(child, 'stats ', before));
  };
  return { child, dealer, reply, stats };
}

const inProgress = (thread: ServerStats['threads'][number]): number => thread.inProgress;

/** The first line from the `from`th on that begins so, without that. */
function lineOf(child: LineProcess, beginning: string, from = 0): Promise<string> {
  return child.waitFor(`it prints '${beginning}'`, 20 * SECONDS, ({ lines }) =>
    lines.find((line, index) => index >= from && line.startsWith(beginning))?.slice(beginning.length),
  );
}

/** From now on the process gets `bytes` more, and no more. */
function limit({ pid }: LineProcess, bytes: number): void {
  const [, kilobytes] = /^VmSize:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  execFileSync('prlimit', ['--pid', `${pid}`, `--as=${Number(kilobytes) * 1024 + bytes}`]);
}

// A sanitizer takes far more address space than there may be.
const limitable = process.platform === 'linux' && process.env.ZMQT_SANITIZER_RUNTIME === undefined;

describe.skipIf(!limitable)('a request that there is no memory for', () => {
  it('is answered with an error and reported when nobody is at work; others are served', async () => {
    const { child, dealer, reply, stats } = await started();
    limit(child, LARGE.length + 128 * MIB); // libzmq can receive it
    await dealer.send(['large', '', LARGE]);
    await dealer.send(['behind', '', 'ab']);
    const replies = new Map<string, string>();
    while (replies.size < 2) {
      const [name, , text] = await reply(`reply ${replies.size + 1}`);
      replies.set(name!, text!);
    }
    expect(JSON.parse(replies.get('large')!).error).toMatchObject({
      code: 'ENOMEM',
      message: expect.stringMatching(NO_MEMORY),
    });
    expect(replies.get('behind')).toBe('2');
    expect(await lineOf(child, 'error refused: ')).toMatch(NO_MEMORY);
    expect(await stats()).toMatchObject({ dropped: 1, inFlight: 0, handled: 2 });
  });

  it('waits for as long as there may be some when others are done with', async () => {
    const { child, dealer, reply, stats } = await started();
    limit(child, 2 * LARGE.length + 128 * MIB);
    await dealer.send(['held', '', 'hold', LARGE]);
    // In a handler: libzmq has let go of it.
    const held = async (): Promise<number> => Math.max(...(await stats()).threads.map(inProgress));
    await expect.poll(held, { timeout: 20 * SECONDS }).toBe(1);
    await dealer.send(['large', '', LARGE]);
    await dealer.send(['behind', '', 'ab']);
    const next = reply('the reply to what was held');
    expect(await isPending(next, SECONDS), 'the large one waits, and what is behind it').toBe(true);
    child.write('go\n');
    expect(await next).toEqual(['held', '', `${LARGE.length}`]);
    const names = [await reply('reply 2'), await reply('reply 3')].map(([name]) => name);
    expect(names.sort()).toEqual(['behind', 'large']);
    expect(await stats()).toMatchObject({ inFlight: 0 });
  });
});
