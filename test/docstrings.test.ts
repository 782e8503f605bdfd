/** Every member of the public types has a docstring, but for types whose own docstring says what their members are. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

const DECLARATIONS = fileURLToPath(new URL('../dist/src/', import.meta.url));

/** What all members are is said once. */
const SAID_OF_THE_TYPE = new Set([
  'CurveKeyFilePaths',
  'CurveKeyPair',
  'DecodedFormats',
  'Handle',
  'MetricsRegistry',
  'Percentiles',
]);
/** What every error, or every class, has. */
const SAID_ELSEWHERE = new Set(['constructor', 'name', 'prototype']);

/** What a file exports from others, by file: the names there. */
function exportsOf(file: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const text = readFileSync(join(DECLARATIONS, file), 'utf8');
  for (const [, names, from] of text.matchAll(/^export (?:type )?\{([^}]*)\} from '([^']+)\.js';$/gm)) {
    const local = names!.split(',').map((name) =>
      name
        .replace(/\btype /, '')
        .split(' as ')[0]!
        .trim(),
    );
    found.set(
      join(dirname(file), `${from}.d.ts`),
      local.filter((name) => name !== '' && !SAID_OF_THE_TYPE.has(name)),
    );
  }
  return found;
}

/** The members of an interface or class that have no docstring. */
function undocumented(text: string, name: string): string[] {
  const lines = text.split('\n');
  const begin = lines.findIndex((line) =>
    new RegExp(`^export (?:declare )?(?:interface|class) ${name}\\b.*\\{$`).test(line),
  );
  if (begin < 0) return []; // an alias, a function, or a value
  const end = lines.indexOf('}', begin);
  const bare: string[] = [];
  let documented: string | undefined;
  for (let at = begin + 1; at < end; at += 1) {
    const member = /^ {4}(?:static |readonly |get |set |async )*([a-z]\w*)\??[:(<]/.exec(lines[at]!)?.[1];
    if (member === undefined || SAID_ELSEWHERE.has(member)) continue;
    // Of overloads, and of a pair of accessors, the first has it.
    if (lines[at - 1]!.endsWith('*/')) documented = member;
    else if (member !== documented) bare.push(`${name}.${member}`);
  }
  return bare;
}

test('public members have docstrings', () => {
  const bare: string[] = [];
  for (const [file, names] of exportsOf('index.d.ts')) {
    const text = readFileSync(join(DECLARATIONS, file), 'utf8');
    for (const name of names) bare.push(...undocumented(text, name));
  }
  expect(bare).toEqual([]);
});
