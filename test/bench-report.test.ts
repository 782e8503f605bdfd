/** What the benchmarks make of their results: pages, plots, and the parts of a profile. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { PACKAGE_ROOT } from './peers/build.js';
import { scratchFolder } from './scratch-folder.js';

// Plain modules without declarations.
const load = (name: string) => import(join(PACKAGE_ROOT, 'bench', name));
const { distributionOf, readTrips } = await load('lib/latency.mjs');
const { resultPage } = await load('lib/page.mjs');
const { drawPlots, plotSpecs } = await load('lib/plots.mjs');
const { caseTable } = await load('lib/report.mjs');
const { mergeResults, readResults } = await load('lib/results.mjs');
const { sortSamples } = await load('lib/samples.mjs');

/** Plots are drawn by a package of the benchmarks: npm --prefix bench ci. */
const WITHOUT_VEGA = !existsSync(join(PACKAGE_ROOT, 'bench/node_modules/vega'));

interface Point {
  size: string;
  driver: string;
  value: number;
}

/** A case with these medians, undefined for a variant that failed. */
function caseOf(name: string, group: string, size: number, medians: Record<string, number | undefined>) {
  const metrics = [{ key: 'rate', label: 'msg/s', better: 'higher' }];
  const rows = Object.entries(medians).map(([variant, median]) => ({
    variant: {
      name: variant,
      label: variant === 'c' ? 'C' : `${variant} \`for await\``,
      library: variant.replace(/-pull.*$/, ''),
    },
    count: 1000,
    summary: median && { rate: { median, min: median * 0.9, max: median * 1.1 } },
  }));
  const failures = rows
    .filter(({ summary }) => !summary)
    .map(({ variant }) => ({ name: `${name}/${variant.name}`, trial: 2, error: 'came out short' }));
  return {
    name,
    title: `Case ${name}`,
    group,
    size,
    metrics,
    rows,
    failures,
    table: caseTable({ title: `Case ${name}`, metrics }, rows),
  };
}

function resultOf(cases: unknown[], { commit = 'abc', trials = 3 } = {}) {
  return {
    format: 2,
    machine: { cpu: 'a', cores: 2, memoryMiB: 2048, system: 'Linux', node: 'v20', commit },
    options: { trials, scale: 1 },
    otherLoad: { before: 0.01, after: 0.02 },
    libzmq: { c: '4.3.4' },
    cases,
  };
}

const RECEIVE = [
  caseOf('pull-16', 'receive', 16, { c: 5e6, 'zeromq-threads-pull': 3e6, 'npm-zeromq': 4e5 }),
  caseOf('pull-4096', 'receive', 4096, { c: 6e5, 'zeromq-threads-pull': 5e5, 'npm-zeromq': undefined }),
];

describe('plots', () => {
  it('a group of several sizes is a line for each driver, with a point for each figure, and one beside C', () => {
    const [plain, besideC] = plotSpecs(RECEIVE);
    expect(plain).toMatchObject({ name: 'receive', title: 'receive' });
    expect(plain.spec.layer[0].mark).toMatchObject({ type: 'line' });
    expect(plain.spec.data.values.map(({ size, driver, value }: Point) => [size, driver, value])).toEqual([
      ['16 B', 'C', 5e6],
      ['16 B', 'zeromq-threads-pull for await', 3e6],
      ['16 B', 'npm-zeromq for await', 4e5],
      ['4 KiB', 'C', 6e5],
      ['4 KiB', 'zeromq-threads-pull for await', 5e5],
    ]);
    expect(plain.spec.layer[0].encoding.y.scale.type).toBe('linear');
    expect(besideC.name).toBe('receive-beside-c');
    expect(besideC.spec.data.values.map(({ driver, value }: Point) => [driver, value])).toEqual([
      ['zeromq-threads-pull for await', 0.6],
      ['npm-zeromq for await', 0.08],
      ['zeromq-threads-pull for await', 5 / 6],
    ]);
  });

  it('a wide span is drawn on a logarithm, and every driver has a colour of its own', () => {
    const [{ spec }] = plotSpecs([
      caseOf('a', 'echo', 64, {
        c: 1e6,
        'zeromq-threads-pull': 5e5,
        'zeromq-threads-pull-recv': 3e5,
        'npm-zeromq': 10,
      }),
    ]);
    const { y, color } = spec.layer[0].encoding;
    expect(spec.layer[0].mark).toBe('bar');
    expect(y.scale).toMatchObject({ type: 'log' });
    expect(y.scale.domainMin).toBeLessThan(10);
    expect(color.scale.domain).toHaveLength(4);
    expect(new Set(color.scale.range).size).toBe(4);
  });

  it('what has no figures has no plot', () => {
    expect(plotSpecs([caseOf('a', 'echo', 64, { c: undefined })])).toEqual([]);
  });
});

const PERCENTILES = { p50: 100, p90: 200, p99: 400, p999: 800, max: 1600 };

/** A case of round trips: each driver's percentiles are those above times its figure. */
function tripsOf(name: string, drivers: Record<string, number | undefined>) {
  const metrics = Object.keys(PERCENTILES).map((key) => ({ key, label: `${key} µs`, better: 'lower' }));
  const rows = Object.entries(drivers).map(([library, times]) => ({
    variant: { name: library, label: library, library },
    count: 1000,
    summary:
      times &&
      Object.fromEntries(
        Object.entries(PERCENTILES).map(([key, value]) => [
          key,
          { median: value * times, min: value, max: value },
        ]),
      ),
  }));
  const table = caseTable({ title: name, metrics }, rows);
  return { name, title: name, group: 'round trips', size: 64, metrics, rows, failures: [], table };
}

describe('round trips', () => {
  it('have percentiles and the largest in microseconds, to three digits', () => {
    const trips = Array.from({ length: 10_000 }, (_, n) => (10_000 - n) / 1e6);
    const distribution = distributionOf(trips);
    expect(Object.keys(distribution)).toEqual(['p50', 'p90', 'p99', 'p999', 'max']);
    for (const [key, expected] of Object.entries({
      p50: 5000,
      p90: 9000,
      p99: 9900,
      p999: 9990,
      max: 10_000,
    })) {
      expect(Math.abs(distribution[key] / expected - 1), `${key} is ${distribution[key]}`).toBeLessThan(
        0.001,
      );
    }
  });

  it('that are none, negative or not as many as were asked for are errors', () => {
    const file = join(scratchFolder(), 'trips');
    writeFileSync(file, new Uint8Array(new Float64Array([1e-6, 2e-6, 3e-6]).buffer));
    const { p50, max } = readTrips(file, 3);
    expect({ p50, max }).toEqual({ p50: expect.closeTo(2, 2), max: expect.closeTo(3, 2) });
    expect(() => readTrips(file, 4)).toThrow('expected 4 round trips, got 24 bytes');
    expect(() => distributionOf([])).toThrow('expected round trips, got none');
    expect(() => distributionOf([-1])).toThrow('expected a round trip of 0 s or more, got -1');
    expect(() => distributionOf([Number.NaN])).toThrow('got NaN');
  });

  it('are drawn in a panel for each case, a line for each driver that has figures', () => {
    const specs = plotSpecs([
      tripsOf('window-1', { c: 1, ours: 2 }),
      tripsOf('window-10', { c: 5, ours: undefined }),
    ]);
    const { spec } = specs.find(({ name }: { name: string }) => name === 'round-trips-percentiles');
    expect(spec.facet.sort).toEqual(['window-1', 'window-10']);
    expect(
      spec.data.values.map((point: Record<string, unknown>) => [point.case, point.driver, point.value]),
    ).toEqual(
      [
        ['window-1', 'c', 1],
        ['window-1', 'ours', 2],
        ['window-10', 'c', 5],
      ].flatMap(([name, driver, times]) =>
        Object.values(PERCENTILES).map((value) => [name, driver, value * (times as number)]),
      ),
    );
  });
});

describe('the page', () => {
  it('says where we are behind, and what failed', () => {
    const page = resultPage(resultOf(RECEIVE), [{ name: 'receive', title: 'receive' }], 'performance/');
    expect(page).toContain('![receive](performance/receive.svg)');
    expect(page).toContain('| receive, `for await`, 16 B | >= 0.70x C | 0.60x | **missed** |');
    expect(page).toMatch(
      /Behind in \d of \d:[\s\S]*- receive, `for await`, 16 B: 0\.60x, aimed at >= 0\.70x C\./,
    );
    expect(page).toContain('- pull-4096/npm-zeromq, trial 2: came out short');
    expect(page).toContain('Other programs kept 1 % and 2 % of the cores busy');
  });

  it('says which figures a rival is better at, beside the best of our ways, the worst first', () => {
    const cases = [
      caseOf('a', 'receive', 16, { c: 100, 'zeromq-threads-pull': 20, 'zeromq-threads-pull-batches': 80 }),
      caseOf('b', 'receive', 64, { c: 100, 'zeromq-threads-pull': 50, 'npm-zeromq': 40 }),
      caseOf('c', 'receive', 256, { c: 100, 'zeromq-threads-pull': 200, 'npm-zeromq': undefined }),
      caseOf('d', 'receive', 1024, { c: 100, 'zeromq-threads-pull': undefined, 'npm-zeromq': 1 }),
    ];
    const page = resultPage(resultOf(cases), []);
    const [, behind] = page.split('## Where we are behind');
    expect(behind).toContain('Behind C in 2 of 3 figures');
    expect(behind).toMatch(
      /\| b \| msg\/s \| 50\.0 \| 100 \| 0\.50 \| .*\n\| a \| msg\/s \| 80\.0 \| 100 \| 0\.80 \| zeromq-threads-pull-batches/,
    );
    expect(behind).toContain('Nowhere behind npm zeromq, of 1 figures.');
  });

  it('says which of our other ways are behind, be it where the best one is not', () => {
    const cases = [
      caseOf('a', 'receive', 16, { c: 100, 'zeromq-threads-pull': 20, 'zeromq-threads-pull-batches': 120 }),
      caseOf('b', 'receive', 64, { c: 100, 'zeromq-threads-pull': 110, 'zeromq-threads-pull-batches': 200 }),
    ];
    const page = resultPage(resultOf(cases), []);
    expect(page).toMatch(
      /Nowhere behind C, of 2 figures\.\n\nBehind C by other ways .*\n\n- a, zeromq-threads-pull `for await`: msg\/s 0\.20\n\nNothing/,
    );
  });

  it('names the command that made it, and has other pages as sections', () => {
    const result = resultOf(RECEIVE);
    const page = resultPage(
      {
        ...result,
        options: { full: true, only: '^pull', trials: 5, scale: 0.5 },
        machine: { ...result.machine, packages: { zeromq: '6.8.0' } },
      },
      [],
      '',
      ['# A profile\n\n```sh\n# not a heading\n```\n\n## Receiving\n'],
    );
    expect(page).toContain("npm run bench:full -- --only '^pull' --trials 5 --scale 0.5\n");
    expect(page).toContain('Packages: zeromq 6.8.0.');
    expect(page).toContain('\n## A profile\n\n```sh\n# not a heading\n```\n\n### Receiving\n');
    expect(resultPage(result, [])).toContain('```sh\nnpm run bench\n');
  });

  it('leaves out what a driver has no figure of', () => {
    const metrics = [{ key: 'heap', label: 'heap', better: 'lower' }];
    const summary = (median: number | null) => ({ heap: { median, min: median, max: median } });
    const variant = (library: string) => ({ name: library, label: library, library });
    const rows = [
      { variant: variant('c'), count: 1, summary: summary(null) },
      { variant: variant('zeromq-threads'), count: 1, summary: summary(5) },
    ];
    const table = caseTable({ title: 'cost', metrics }, rows);
    expect(table).toContain(
      '| c | 1.00 | – |  | – | – |\n| zeromq-threads | 1.00 | **5.00** | 5.00–5.00 | – | – |',
    );
  });

  it('says so when nothing is behind', () => {
    const good = [
      caseOf('pull-16', 'receive', 16, { c: 1e6, 'zeromq-threads-pull': 9e5, 'npm-zeromq': 1e4 }),
    ];
    expect(resultPage(resultOf(good), [])).toContain('All 2 targets that were measured are met.');
  });

  it('is made of several results of one commit, the later one counting', () => {
    const later = caseOf('pull-16', 'receive', 16, { c: 1 });
    const merged = mergeResults([resultOf(RECEIVE), resultOf([later])]);
    expect(merged.cases).toEqual([later, RECEIVE[1]]);
    expect(() => mergeResults([resultOf(RECEIVE), resultOf([], { commit: 'def' })])).toThrow(
      'results of different commit: abc and def',
    );
    expect(() => mergeResults([resultOf(RECEIVE), resultOf([], { trials: 5 })])).toThrow(
      /different --trials/,
    );
  });

  it.skipIf(WITHOUT_VEGA)('is written with its plots, and plots of before are gone', () => {
    const folder = scratchFolder();
    const result = join(folder, 'result.json');
    writeFileSync(result, JSON.stringify(resultOf(RECEIVE)));
    expect(readResults(result).cases).toHaveLength(2);
    const page = join(folder, 'performance.md');
    for (let n = 0; n < 2; n += 1) {
      const { status, stderr } = spawnSync(process.execPath, ['bench/report.mjs', result, '--write', page], {
        cwd: PACKAGE_ROOT,
        encoding: 'utf8',
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(readdirSync(join(folder, 'performance')).sort()).toEqual([
        'receive-beside-c.svg',
        'receive.svg',
      ]);
      writeFileSync(join(folder, 'performance', 'of-before.svg'), '');
    }
    expect(readFileSync(page, 'utf8')).toContain('![receive, beside C](performance/receive-beside-c.svg)');
    const svg = readFileSync(join(folder, 'performance', 'receive.svg'), 'utf8');
    expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\s*$/);
    for (const text of ['16 B', '4 KiB', 'msg/s', 'npm-zeromq for await']) expect(svg).toContain(text);
  });

  it.skipIf(WITHOUT_VEGA)('has plots that are XML, with a mark for each figure', async () => {
    const bars = caseOf('busy', 'busy', 16, { c: 5e6, 'zeromq-threads-pull': 3e6, 'npm-zeromq': undefined });
    const trips = tripsOf('window <1 & "more"', { c: 1, ours: 2 });
    const marks: Record<string, [string, number]> = {
      receive: ['point', 5],
      'receive-beside-c': ['point', 3],
      busy: ['bar', 2],
      'round-trips': ['bar', 2],
      'round-trips-percentiles': ['point', 10],
    };
    const plots = await drawPlots([...RECEIVE, bars, trips]);
    expect(plots.map(({ name }: { name: string }) => name)).toEqual(Object.keys(marks));
    for (const { name, svg } of plots) {
      const parse =
        'import sys, xml.dom.minidom as m; print(m.parse(sys.stdin.buffer).documentElement.tagName)';
      const parsed = spawnSync('python3', ['-c', parse], { input: svg, encoding: 'utf8' });
      expect(parsed, name).toMatchObject({ status: 0, stdout: 'svg\n' });
      const [mark, count] = marks[name] ?? ['', 0];
      expect(svg.split(`aria-roledescription="${mark}"`).length - 1, `${mark}s of ${name}`).toBe(count);
      expect(svg, name).not.toMatch(/NaN|undefined|Infinity/);
    }
  });
});

describe('a profile', () => {
  it('sorts samples by who ran', () => {
    const parts = sortSamples([
      '     ffffffff81a0 finish_task_switch.isra.0 ([kernel.kallsyms])',
      '     7f1234 zmq_msg_recv (/usr/lib/x86_64-linux-gnu/libzmq.so.5.2.4)',
      '     7f1235 zmq::ypipe_t<zmq::msg_t, 256>::read(zmq::msg_t*) (/x/zeromq/build/addon.node)',
      '     7f1236 zt::Inbox::place (/x/build/Release/zeromq_threads.node)',
      '     7f1237 JS:*next file:///x/dist/src/iteration.js:36:9 (/tmp/perf-77.map)',
      '     55d0 Builtins_CreateTypedArray (/usr/bin/node)',
      '     55d1 v8::internal::Scavenger::ScavengeObject<v8::internal::FullHeapObjectSlot> (/usr/bin/node)',
      '     55d2 napi_get_cb_info (/usr/bin/node)',
      '     55d3 v8::internal::Runtime_StoreIC_Miss (/usr/bin/node)',
      '     7f55 __memmove_avx_unaligned_erms (/usr/lib/x86_64-linux-gnu/libc.so.6)',
      '',
    ]);
    expect(parts).toEqual({
      kernel: 0.1,
      libzmq: 0.2,
      addon: 0.1,
      GC: 0.1,
      JavaScript: 0.2,
      V8: 0.1,
      boundary: 0.1,
      libc: 0.1,
      other: 0,
    });
  });

  it('without samples is an error', () => {
    expect(() => sortSamples(['', '# comment'])).toThrow('the profile has no samples');
  });
});
