#!/usr/bin/env node
/**
 * Writes docs/options.md from the option table: `npm run build:ts && node scripts/generate-option-docs.mjs`.
 * With --check, fails if the file is not what would be written.
 *
 * The values come from the compiled table, the descriptions from the doc comments above its entries.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, 'docs', 'options.md');

const { CONTEXT_OPTION_ENTRIES, SOCKET_OPTION_ENTRIES } = await import(
  pathToFileURL(join(root, 'dist', 'src', 'option-table.js')).href
);

const { SOCKET_TYPES } = await import(pathToFileURL(join(root, 'dist', 'src', 'socket-types.js')).href);

/** The doc comments above the entries of a table, by the entries' names. */
function descriptions(table) {
  const source = readFileSync(join(root, 'src', `option-table-${table}.ts`), 'utf8');
  const comments = source.matchAll(/^ {2}\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n {2}(\w+): \{/gm);
  return new Map(
    Array.from(comments, ([, text, name]) => [name, text.replaceAll(/\s*\n\s*\*?\s*/g, ' ').trim()]),
  );
}

function typeOf(entry) {
  switch (entry.type) {
    case 'choice':
      return entry.values.map((value) => `\`${value === null ? 'null' : `'${value}'`}\``).join(', ');
    case 'int':
    case 'fd':
      return 'number';
    case 'bool':
      return 'boolean';
    case 'int64':
    case 'uint64':
      return 'number or bigint';
    case 'string':
      return 'string';
    case 'binary':
      return 'string or bytes';
    case 'z85key':
      return 'key (Z85 or 32 bytes)';
    default:
      throw new Error(`option ${entry.name}: no words for type ${entry.type}`);
  }
}

function rangeOf(entry) {
  const { min, max, unit } = entry;
  const isNumber = ['int', 'int64', 'uint64'].includes(entry.type);
  if (!isNumber) {
    return '';
  }
  const range = min === undefined ? '' : max === undefined ? `≥ ${min}` : `${min} to ${max}`;
  return [range, unit].filter(Boolean).join(' ');
}

function defaultOf(entry) {
  if (entry.default === undefined) {
    return '';
  }
  return `\`${typeof entry.default === 'string' ? `'${entry.default}'` : entry.default}\``;
}

function accessOf(entry) {
  return { r: 'read', w: 'set', rw: 'read, set' }[entry.access];
}

function methodsOf(entry) {
  return { r: '`getOption`', w: '`setOption`', rw: '`getOption` and `setOption`' }[entry.access];
}

function socketsOf(entry) {
  if (entry.sockets === 'all') {
    return 'all';
  }
  for (const [words, can] of [
    ['that send', 'canSend'],
    ['that receive', 'canReceive'],
  ]) {
    const types = Object.keys(SOCKET_TYPES).filter((name) => SOCKET_TYPES[name][can]);
    if (types.length === entry.sockets.length && types.every((name) => entry.sockets.includes(name))) {
      return words;
    }
  }
  return entry.sockets.join(' ');
}

function noteOf(entry) {
  return [
    entry.deprecated === undefined ? '' : `**Deprecated**: use ${entry.deprecated}.`,
    entry.property === false ? `No property: for ${methodsOf(entry)} only.` : '',
    entry.since === '4.3.5' ? 'Since libzmq 4.3.5.' : '',
  ]
    .filter(Boolean)
    .map((note) => ` ${note}`)
    .join('');
}

function table(entries, texts, withSockets) {
  const columns = [
    'name',
    'libzmq',
    'value',
    'range',
    'default',
    'access',
    ...(withSockets ? ['sockets'] : []),
    'what',
  ];
  const rows = entries.map((entry) => [
    `\`${entry.name}\``,
    entry.zmq
      .split(', ')
      .map((name) => `\`${name}\``)
      .join(' '),
    typeOf(entry) + (entry.nullable ? ' or `null`' : ''),
    rangeOf(entry),
    defaultOf(entry),
    accessOf(entry),
    ...(withSockets ? [socketsOf(entry)] : []),
    (texts.get(entry.name) ?? missing(entry)) + noteOf(entry),
  ]);
  return [columns, columns.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

function missing(entry) {
  throw new Error(`option ${entry.name} has no doc comment`);
}

const stable = SOCKET_OPTION_ENTRIES.filter((entry) => !entry.draft);
const draft = SOCKET_OPTION_ENTRIES.filter((entry) => entry.draft);

const text = `<!-- Written by scripts/generate-option-docs.mjs from src/option-table*.ts. Do not edit. -->

# Options

Every option is a property (\`socket.receiveTimeout = 100\`), can be given to the constructor
(\`new Pull({ receiveTimeout: 100 })\`), and is known to \`getOption\` and \`setOption\` under libzmq's name as well, with
or without \`ZMQ_\`, in any case (\`socket.getOption('rcvtimeo')\`). Most take effect for the endpoints bound or connected
afterwards: set them first. A value of the wrong type or out of range is an \`ArgumentError\`; an option that the socket's
type does not have fails with \`ENOTSUP\`. Setting to \`null\` what reads as \`null\` does nothing; what is set can be unset
again only where \`null\` is among its values.

## Sockets

${table(stable, descriptions('socket'), true)}

## Sockets: draft options

libzmq may change these, and a libzmq that was built without its draft interface refuses some of them with \`ENOTSUP\`.

${table(draft, descriptions('draft'), true)}

## Contexts

${table(CONTEXT_OPTION_ENTRIES, descriptions('context'), false)}
`;

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('docs/options.md is out of date: run node scripts/generate-option-docs.mjs');
    process.exitCode = 1;
  }
} else {
  writeFileSync(target, text);
}
