/**
 * Runs the JavaScript of a Markdown page. Every ```js block is a module of its own, except that
 *
 *  - a block marked `prelude` comes before each of the others of its page;
 *  - a block marked `file=NAME` is only saved under that name, beside the others, for them to load.
 *
 * Claims are checked: `EXPRESSION; // → VALUE` (deep equality), `const name = EXPRESSION; // → VALUE`, and
 * `STATEMENT; // throws NAME: TEXT` (the error's name, and a text that its message contains). A claim that a run
 * does not get to fails it.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { expect, onTestFinished } from 'vitest';

import { CACHE_DIR, PACKAGE_ROOT } from './peers/build.js';
import { runNode } from './peers/index.js';

export interface Sample {
  /** The heading that the block stands under, and its number there if it is not the only one. */
  readonly name: string;
  readonly heading: string;
  readonly code: string;
  /** Where its code begins in the page. */
  readonly line: number;
  readonly mark: string;
}

/** All ```js blocks of a page, in order. */
export function samplesOf(page: string): Sample[] {
  const lines = readFileSync(join(PACKAGE_ROOT, page), 'utf8').split('\n');
  const samples: Sample[] = [];
  let heading = page;
  for (let index = 0; index < lines.length; index++) {
    const fence = /^```(\w*) ?(.*)$/.exec(lines[index] ?? '');
    if (fence === null) {
      heading = /^#+ (.+)$/.exec(lines[index] ?? '')?.[1] ?? heading;
      continue;
    }
    const end = lines.indexOf('```', index + 1);
    if (fence[1] === 'js') {
      const before = samples.filter((sample) => sample.heading === heading).length;
      const name = before === 0 ? heading : `${heading} (${before + 1})`;
      const code = lines.slice(index + 1, end).join('\n');
      samples.push({ name, heading, code, line: index + 2, mark: fence[2] ?? '' });
    }
    index = end;
  }
  return samples;
}

/** The blocks that are to be run. */
export function programsOf(page: string): Sample[] {
  return samplesOf(page).filter(({ mark }) => mark === '');
}

const CHECKS = `
import { isDeepStrictEqual as __same, inspect as __show } from 'node:util';
const __seen = new Set();
function __check(line, actual, expected) {
  __seen.add(line);
  if (!__same(actual, expected)) throw new Error(\`line \${line}: it is \${__show(actual)}, not \${__show(expected)}\`);
}
async function __throws(line, name, text, body) {
  __seen.add(line);
  let error;
  try {
    await body();
  } catch (thrown) {
    error = thrown;
  }
  if (error === undefined) throw new Error(\`line \${line}: nothing was thrown\`);
  if (error.name !== name || !error.message.includes(text)) throw new Error(\`line \${line}: thrown was \${__show(error)}\`);
}
process.on('exit', () => console.log('checked ' + [...__seen].join(' ')));
`;

/** Turns claims into checks, on the same lines. */
export function checked(code: string, firstLine: number): { code: string; claims: number[] } {
  const claims: number[] = [];
  const lines = code.split('\n').map((text, index) => {
    const line = firstLine + index;
    const claim = /^(\s*)(.*?);\s*\/\/ (→|throws) (.*)$/.exec(text);
    if (claim === null) return text;
    claims.push(line);
    const [, indent = '', statement = '', kind, claimed = ''] = claim;
    if (kind === 'throws') {
      const [, name, said = ''] = /^(\w+)(?:: (.*))?$/.exec(claimed) ?? [];
      return `${indent}await __throws(${line}, '${name}', ${JSON.stringify(said)}, async () => { ${statement}; });`;
    }
    const declared = /^(?:const|let) (\w+) = /.exec(statement);
    if (declared !== null) return `${indent}${statement}; __check(${line}, ${declared[1]}, ${claimed});`;
    return `${indent}__check(${line}, ${statement}, ${claimed});`;
  });
  return { code: lines.join('\n'), claims };
}

/** Runs one block in a process of its own. It must end by itself, print no error, and have checked every claim. */
export async function runSample(page: string, sample: Sample, env: NodeJS.ProcessEnv = {}): Promise<void> {
  const scripts = join(CACHE_DIR, 'scripts');
  mkdirSync(scripts, { recursive: true });
  const folder = mkdtempSync(join(scripts, 'sample-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const others = samplesOf(page);
  for (const { mark, code } of others) {
    if (mark.startsWith('file=')) writeFileSync(join(folder, mark.slice('file='.length)), code);
  }
  const prelude = others.find(({ mark }) => mark === 'prelude')?.code ?? '';
  const { code, claims } = checked(sample.code, sample.line);
  const path = join(folder, 'sample.mjs');
  writeFileSync(path, `${prelude}\n${CHECKS}\n${code}`);
  const where = `${page}:${sample.line}`;
  const result = await runNode(pathToFileURL(path), [], { step: where, timeout: 15_000, env });
  expect(result, where).toMatchObject({ code: 0, stderr: '' });
  const last = result.lines.findLast((line) => line.startsWith('checked')) ?? 'checked';
  expect(last, `${where}: the lines whose claims were checked`).toBe(['checked', ...claims].join(' '));
}
