/** The pages' examples work as they say, and their links lead somewhere. docs/zmq-jl.md has a test of its own. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { capability } from 'zeromq-threads';

import { programsOf, runSample } from './doc-samples.js';
import { PACKAGE_ROOT } from './peers/build.js';

const PAGES = [
  'README.md',
  'docs/migrating-from-zeromq.md',
  'docs/threads.md',
  'docs/draft-sockets.md',
  'docs/multi-core.md',
  'docs/proxies.md',
  'docs/monitoring.md',
  'docs/security.md',
  'docs/architecture.md',
];

for (const page of PAGES) {
  // Its first example is what happens without the draft API.
  if (page === 'docs/draft-sockets.md' && capability.draft) continue;
  const programs = programsOf(page);
  if (programs.length === 0) continue;
  describe(`the examples of ${page}`, () => {
    it.each(programs.map((program) => [program.name, program] as const))('%s', async (_, program) => {
      await runSample(page, program);
    });
  });
}

describe('links', () => {
  const pages = ['.', 'docs', 'examples', 'bench', 'test/peers'].flatMap((folder) =>
    readdirSync(join(PACKAGE_ROOT, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  );

  it.each(pages)('of %s lead to files and headings that are there', (page) => {
    for (const { target, file, anchor } of linksOf(page)) {
      expect(existsSync(join(PACKAGE_ROOT, file)), `${page}: ${target}`).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(file), `${page}: ${target}`).toContain(anchor);
    }
  });

  it('of what is published lead to what is published', () => {
    const listing = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: PACKAGE_ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [packed] = JSON.parse(listing) as [{ files: { path: string }[] }];
    const files = packed.files.map(({ path }) => path);
    const published = files.filter((path) => path.endsWith('.md'));
    expect(published).toContain('README.md');
    for (const page of published) {
      for (const { target, file } of linksOf(page)) {
        const isThere = files.some((path) => path === file || path.startsWith(`${file}/`));
        expect(isThere, `${page}: ${target}`).toBe(true);
      }
    }
  });
});

/** The links of a page to files of this package. */
function linksOf(page: string): { target: string; file: string; anchor: string | undefined }[] {
  const text = readFileSync(join(PACKAGE_ROOT, page), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^https?:/.test(target))
    .map((target) => {
      const [path = '', anchor] = target.split('#');
      return { target, file: path === '' ? page : join(dirname(page), path), anchor };
    });
}

/** As GitHub makes them. */
function anchorsOf(page: string): string[] {
  const text = readFileSync(join(PACKAGE_ROOT, page), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
