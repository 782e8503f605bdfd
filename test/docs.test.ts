/** The pages' examples work as they say, and their links lead somewhere. docs/zmq-jl.md has a test of its own. */
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
    const text = readFileSync(join(PACKAGE_ROOT, page), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      expect(existsSync(join(PACKAGE_ROOT, file)), `${page}: ${target}`).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(file), `${page}: ${target}`).toContain(anchor);
    }
  });
});

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
