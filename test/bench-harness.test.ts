/** The benchmarks' own machinery: what is a figure and what is an error, medians, and how two results compare. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { PACKAGE_ROOT } from './peers/build.js';
import { scratchFolder } from './scratch-folder.js';

// Plain modules without declarations.
const load = (name: string) => import(join(PACKAGE_ROOT, 'bench', name));
const { comparisonTable, compareResults, parseMargin } = await load('lib/compare.mjs');
const { checksumOf, verifyRun } = await load('lib/expected.mjs');
const { prepare } = await load('lib/programs.mjs');
const { formatFigure, ratio, summarize } = await load('lib/stats.mjs');
const { rate, runTrial } = await load('lib/trial.mjs');

/** A result file with one case, of these medians for each variant; undefined is one that failed. */
function resultsOf(medians: Record<string, number | undefined>, better = 'higher') {
  const rows = Object.entries(medians).map(([name, median]) => ({
    variant: { name, library: name.replace('zeromq-threads-pull', 'zeromq-threads') },
    summary: median === undefined ? undefined : { rate: { median, min: median, max: median } },
  }));
  const metrics = [{ key: 'rate', label: 'msg/s', better }];
  return { format: 2, machine: { cpu: 'a', cores: 2 }, cases: [{ name: 'pull-16', metrics, rows }] };
}

describe('statistics', () => {
  it('the median is the middle one, or between the two in the middle', () => {
    expect(summarize([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5 });
    expect(summarize([10, 1, 2, 4])).toEqual({ median: 3, min: 1, max: 10 });
  });

  it('a ratio above 1 is better, whichever way the metric goes', () => {
    expect(ratio(6, 3, 'higher')).toBe(2);
    expect(ratio(6, 3, 'lower')).toBe(0.5);
  });

  it('figures have three digits', () => {
    expect([5_214_000, 262_400, 131.4, 0.01234].map(formatFigure)).toEqual([
      '5.21 M',
      '262 k',
      '131',
      '0.0123',
    ]);
  });

  it.each([
    [5, 256],
    [1000, 256],
    [1000, 1],
    [1003, 10],
  ])('the checksum of %i messages in a period of %i is the sum of their first bytes', (count, period) => {
    let sum = 0;
    for (let n = 0; n < count; n++) sum += n % period;
    expect(checksumOf(count, period)).toBe(sum);
  });
});

describe('a run that is not complete has no figure', () => {
  const whole = { count: 100, timed: 99, checksum: checksumOf(100), bytes: 1600, seconds: 0.1 };

  it('a complete one passes', () => {
    expect(() => verifyRun('c pull', whole, 100, 16)).not.toThrow();
  });

  it.each([
    [{ count: 99 }, 'c pull: count is 99, expected 100'],
    [{ checksum: 1 }, `c pull: checksum is 1, expected ${checksumOf(100)}`],
    [{ bytes: 1599 }, 'c pull: bytes is 1599, expected 1600'],
    [{ seconds: 0 }, 'c pull: too short to be timed, raise --scale'],
    [{ timed: 0 }, 'c pull: too short to be timed, raise --scale'],
  ])('%o', (fault, message) => {
    expect(() => verifyRun('c pull', { ...whole, ...fault }, 100, 16)).toThrow(message);
  });
});

describe('trials, in processes of their own', () => {
  beforeAll(() => prepare(new Set(['c', 'zeromq-threads'])));

  const figures = ({ bound }: { bound: unknown }) => ({ rate: rate(bound) });
  const c = (role: string, options = {}) => ({ library: 'c', role, options });
  const ours = (role: string) => ({ library: 'zeromq-threads', role });

  it.each([
    ['c', c('pull'), c('push')],
    ['zeromq-threads, for await', ours('pull'), c('push')],
    ['zeromq-threads, batches and send', ours('pull-batches'), ours('push')],
  ])('%s: both sides moved everything', async (_, binder, connector) => {
    const outcome = await runTrial({ binder, connector, size: 16 }, figures, 2000);
    expect(outcome.bound).toMatchObject({ count: 2000, checksum: checksumOf(2000), bytes: 32_000 });
    expect(outcome.connected).toMatchObject({ count: 2000, checksum: checksumOf(2000), bytes: 32_000 });
    expect(outcome.figures.rate).toBeGreaterThan(0);
  });

  it('over ipc nothing is lost when the sender is done while its receiver is not', async () => {
    for (let n = 0; n < 10; n += 1) {
      const trial = { binder: c('pull'), connector: c('push'), size: 16, transport: 'ipc', limitSeconds: 20 };
      const { bound } = await runTrial(trial, figures, 30_000);
      expect(bound).toMatchObject({ count: 30_000, checksum: checksumOf(30_000) });
    }
  });

  it('a receiver that counts fewer than were asked for is an error', async () => {
    const trial = runTrial(
      { binder: c('pull', { count: 500 }), connector: c('push'), size: 16 },
      figures,
      1000,
    );
    await expect(trial).rejects.toThrow('c pull: count is 500, expected 1000');
  });

  it('a sender of other bytes is an error', async () => {
    const trial = runTrial(
      { binder: c('pull'), connector: c('push', { period: 10 }), size: 16 },
      figures,
      1000,
    );
    await expect(trial).rejects.toThrow(
      `c pull: checksum is ${checksumOf(1000, 10)}, expected ${checksumOf(1000)}`,
    );
  });

  it('a run of one message cannot be timed', async () => {
    const trial = runTrial({ binder: c('pull'), connector: c('push'), size: 16 }, figures, 1);
    await expect(trial).rejects.toThrow('c pull: too short to be timed');
  });

  it('a process that fails is an error that has its words', async () => {
    const binder = { library: 'zeromq-threads', role: 'nonsense' };
    const trial = runTrial({ binder, connector: c('push'), size: 16 }, figures, 10);
    await expect(trial).rejects.toThrow(/zeromq-threads nonsense ended with 1: [\s\S]*unknown role nonsense/);
  });

  it('a run that does not end is an error', async () => {
    const binder = c('pull', { count: 2000 });
    const trial = runTrial({ binder, connector: c('push'), size: 16, limitSeconds: 1 }, figures, 1000);
    await expect(trial).rejects.toThrow('not done after 1 s');
  });
});

describe('comparing', () => {
  const before = resultsOf({ c: 100, 'npm-zeromq': 10, 'zeromq-threads-pull': 90 });

  it('ratios within each run are compared, not figures', () => {
    const halfAsFast = resultsOf({ c: 50, 'npm-zeromq': 5, 'zeromq-threads-pull': 45 });
    const rows = compareResults(before, halfAsFast, 0.15);
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({
      name: 'pull-16/zeromq-threads-pull',
      rival: 'C',
      before: 0.9,
      after: 0.9,
      fell: false,
    });
    expect(rows[1]).toMatchObject({ rival: 'npm zeromq', before: 9, after: 9, change: 0, fell: false });
  });

  it('a ratio fell when it lost more than the margin', () => {
    const slower = resultsOf({ c: 100, 'npm-zeromq': 10, 'zeromq-threads-pull': 80 });
    expect(compareResults(before, slower, 0.15).map(({ fell }: { fell: boolean }) => fell)).toEqual([
      false,
      false,
    ]);
    const rows = compareResults(before, slower, 0.1);
    expect(rows.map(({ fell }: { fell: boolean }) => fell)).toEqual([true, true]);
    expect(comparisonTable(rows, 0.1)).toContain(
      '| pull-16/zeromq-threads-pull | msg/s ÷ C | 0.90 | 0.80 | −11 % | **fell** |',
    );
  });

  it('where lower is better, more is a loss', () => {
    const quick = resultsOf({ c: 100, 'zeromq-threads-pull': 100 }, 'lower');
    const slow = resultsOf({ c: 100, 'zeromq-threads-pull': 200 }, 'lower');
    expect(compareResults(quick, slow, 0.15)).toMatchObject([{ before: 1, after: 0.5, fell: true }]);
    expect(compareResults(slow, quick, 0.15)).toMatchObject([{ before: 0.5, after: 1, fell: false }]);
  });

  it('a variant that failed in the second run fell; one that was not run there is left out', () => {
    const failed = resultsOf({ c: 100, 'npm-zeromq': 10, 'zeromq-threads-pull': undefined });
    expect(compareResults(before, failed, 0.15).map(({ fell }: { fell: boolean }) => fell)).toEqual([
      true,
      true,
    ]);
    expect(compareResults(before, resultsOf({ c: 100 }), 0.15)).toEqual([]);
  });

  it('a margin is a percentage or a part', () => {
    expect(['15%', '15 %', '0.15', '0'].map(parseMargin)).toEqual([0.15, 0.15, 0.15, 0]);
    for (const text of ['', '-5%', '100%', '15', 'much'])
      expect(() => parseMargin(text), text).toThrow('--margin');
  });

  it('the command prints a table, and its status tells: 0, 1 when a ratio fell, 2 for bad input', () => {
    const folder = scratchFolder();
    const file = (name: string, content: unknown) => {
      const path = join(folder, name);
      writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
      return path;
    };
    const compare = (...args: string[]) => {
      const command = [join(PACKAGE_ROOT, 'bench/compare.mjs'), ...args];
      const { status, stdout, stderr } = spawnSync(process.execPath, command, {
        encoding: 'utf8',
        timeout: 10_000,
      });
      return { status, stdout, stderr };
    };
    const good = file('good.json', before);
    const slow = file('slow.json', resultsOf({ c: 100, 'npm-zeromq': 10, 'zeromq-threads-pull': 60 }));
    const same = compare(good, good);
    expect(same).toMatchObject({ status: 0, stderr: '' });
    expect(same.stdout).toContain('2 ratios, of which 0 fell by more than 15 %');
    expect(compare(good, slow)).toMatchObject({ status: 1, stderr: '' });
    expect(compare(good, slow, '--margin', '50%')).toMatchObject({ status: 0, stderr: '' });
    const refused = [
      [[good], 'usage'],
      [[good, slow, '--margin', 'x'], '--margin: expected 0 to 99 %, got x'],
      [[good, join(folder, 'none.json')], 'ENOENT'],
      [[good, file('text.json', 'hello')], 'got no JSON'],
      [[good, file('old.json', { format: 1 })], 'expected results of form 2, got 1'],
      [[good, file('empty.json', { format: 2, cases: [] })], 'no ratio in common'],
    ] as const;
    for (const [args, message] of refused) {
      const { status, stderr } = compare(...args);
      expect({ status, stderr }, args.join(' ')).toEqual({
        status: 2,
        stderr: expect.stringContaining(message),
      });
    }
  });
});
