/** What a handler has of its message while it runs, also when nobody waits for it any more. */
import { describe, expect, it } from 'vitest';

import { within } from './bounded.js';
import { endsOf, startLine } from './lines.js';
import { moduleFile } from './peers/index.js';
import { dealerTo, start } from './serving.js';

/** `hold` goes on until it is asked what it has, long after its time was up. */
const HOLDING = `
  let ask, tell;
  const asked = new Promise((resolve) => { ask = resolve; });
  const told = new Promise((resolve) => { tell = resolve; });
  const held = async (frames) => {
    await asked;
    tell(frames.map(String).join());
  };
  const what = () => {
    ask();
    return told;
  };
  export default async (frames) => {
    const text = String(frames[0]);
    if (text === 'hold') return held(frames);
    return text === 'what' ? what() : 'done';
  };
  export async function* yielding(frames) {
    const text = String(frames[0]);
    if (text === 'hold') return held(frames);
    yield text === 'what' ? what() : 'done';
  }
  export async function* ending(frames) {
    const text = String(frames[0]);
    try {
      yield text === 'hold' ? { not: 'sendable' } : text === 'what' ? what() : 'done';
    } finally {
      if (text === 'hold') await held(frames);
    }
  }`;

/** So many messages of this size are more than all of a lane's memory. */
const MANY = 4000;
const LARGE = 'x'.repeat(4000);

describe('the frames of a message stay as they are', () => {
  it('for a handler of serve() whose time is up, and that goes on', async () => {
    const { server, told } = await start({ handler: moduleFile(HOLDING), threads: 1, timeout: 1000 });
    const dealer = dealerTo(server.endpoint);
    const ask = async (...frames: string[]): Promise<string> => {
      await dealer.send(['', ...frames]);
      return String(
        (await within(`the reply to ${frames[0]!.slice(0, 9)}`, dealer.recvMultipart(), 20_000))[1],
      );
    };
    const others = async (): Promise<void> => {
      for (let n = 0; n < MANY; n += 1) await dealer.send(['', LARGE]);
      for (let n = 0; n < MANY; n += 1) await within(`reply ${n}`, dealer.recvMultipart(), 20_000);
    };
    await others();
    expect(await ask('hold', 'these')).toMatch(/TimeoutError/);
    expect((await told('handler')).info.request!.map(String)).toEqual(['hold', 'these']);
    await others();
    expect(await ask('what')).toBe('hold,these');
  });

  it.each([
    ['yields, whose time is up, and that goes on', 'yielding', 'TimeoutError'],
    ['yielded what cannot be sent, and ends in its own time', 'ending', 'ArgumentError'],
  ])('for a handler of a pipeline that %s', async (_, name, why) => {
    const handler = new URL(`#${name}`, moduleFile(HOLDING));
    const { line, errors } = await startLine({ handler, threads: 1, timeout: 1000 });
    const { push, pull } = endsOf(line);
    const others = async (): Promise<void> => {
      for (let n = 0; n < MANY; n += 1) await push.send(LARGE);
      for (let n = 0; n < MANY; n += 1) await within(`message ${n}`, pull.recv(), 20_000);
    };
    await others();
    await push.send(['hold', 'these']);
    const failed = (): string[] =>
      errors.filter(({ info }) => String(info.message![0]) === 'hold').map(({ error }) => error.name);
    await expect.poll(failed, { timeout: 20_000 }).toEqual([why]);
    await others();
    await push.send('what');
    expect(String(await within('it tells', pull.recv(), 20_000))).toBe('hold,these');
  });
});
