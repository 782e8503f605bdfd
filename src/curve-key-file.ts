/**
 * CURVE keys in files, as czmq and pyzmq write and read them: ZPL (ZeroMQ RFC 4) with a section `curve`. The public
 * key of NAME is in `NAME.key`, both keys are in `NAME.key_secret`, which only its owner can read.
 */
import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { type CurveKeyPair, curvePublicKey } from './curve.js';
import { curveKeyBytes } from './curve-key.js';
import { ArgumentError, ZmqError } from './errors.js';

const PRIVATE = 0o600;
const PUBLIC = 0o644;

/** What a key file holds. */
export interface CurveKeyFile {
  readonly publicKey: string;
  /** Undefined in a public file. */
  readonly secretKey: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The two files that were written. */
export interface CurveKeyFilePaths {
  readonly publicFile: string;
  readonly secretFile: string;
}

/**
 * Writes a key pair to `PATH.key` and `PATH.key_secret`, the latter with mode 0600. Either both are there afterwards,
 * complete, or nothing has changed.
 *
 * @param path folder and name, without an ending
 * @param options.replace whether files that are there may be replaced
 * @param options.metadata what to say about the owner: `{ name: 'worker 7' }`
 * @throws (rejects) {@link ZmqError} `'EEXIST'` if one of them is there and is not to be replaced
 */
export async function writeCurveKeyFiles(
  path: string,
  keys: CurveKeyPair,
  options: { replace?: boolean; metadata?: Readonly<Record<string, string>> } = {},
): Promise<CurveKeyFilePaths> {
  const paths = curveKeyFilePaths(path);
  const { replace = false, metadata = {} } = options;
  if (!replace) {
    for (const file of Object.values(paths)) {
      if (await exists(file)) throw new ZmqError(`${file} exists already`, { code: 'EEXIST' });
    }
  }
  const folder = await mkdtemp(join(dirname(path), '.curve-'));
  try {
    const secret = join(folder, 'secret');
    const open = join(folder, 'public');
    await writeFile(secret, textOf(keys, true, metadata), { mode: PRIVATE, flag: 'wx' });
    await writeFile(open, textOf(keys, false, metadata), { mode: PUBLIC, flag: 'wx' });
    await rename(secret, paths.secretFile);
    await rename(open, paths.publicFile);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return paths;
}

/** Where {@link writeCurveKeyFiles} writes. */
export function curveKeyFilePaths(path: string): CurveKeyFilePaths {
  const stem = path.replace(/\.key(_secret)?$/, '');
  if (basename(stem) === '' || /[/\\]$/.test(path)) {
    throw new ArgumentError(`path: expected a folder and a name, got '${path}'`);
  }
  return { publicFile: `${stem}.key`, secretFile: `${stem}.key_secret` };
}

/**
 * Reads a key file, public or secret.
 *
 * @throws (rejects) {@link ArgumentError} if it holds no CURVE key, or one that does not belong to the other; a system
 *   error if it cannot be read
 */
export async function readCurveKeyFile(path: string): Promise<CurveKeyFile> {
  const sections = sectionsOf(await readFile(path, 'utf8'));
  const { 'public-key': publicKey, 'secret-key': secretKey } = sections.get('curve') ?? {};
  for (const key of [publicKey, secretKey]) {
    // Not what it is: it may be a secret that is nearly right.
    if (key !== undefined && curveKeyBytes(key) === undefined)
      throw badFile(path, 'a key in it is no Z85 key');
  }
  if (publicKey === undefined) throw badFile(path, 'there is no public key in it');
  if (secretKey !== undefined && curvePublicKey(secretKey) !== publicKey) {
    throw badFile(path, 'its two keys do not belong together');
  }
  return { publicKey, secretKey, metadata: sections.get('metadata') ?? {} };
}

function badFile(path: string, what: string): ArgumentError {
  return new ArgumentError(`${path}: expected a CURVE key file as czmq and pyzmq write it, but ${what}`);
}

const LINE = /^(\s*)([\w$.@+/-]+)\s*(?:=\s*(?:"([^"]*)"|'([^']*)'|(.*?)))?\s*$/;

/** `name = value` lines below lines with a section's name. */
function sectionsOf(text: string): Map<string, Record<string, string>> {
  const sections = new Map<string, Record<string, string>>();
  let current: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const [, indent, name, double, single, bare] = line.trim().startsWith('#') ? [] : (LINE.exec(line) ?? []);
    if (name === undefined) continue;
    const value = double ?? single ?? bare;
    if (value !== undefined) {
      current[name] = value;
    } else if (indent === '') {
      current = {};
      sections.set(name, current);
    }
  }
  return sections;
}

function textOf(
  { publicKey, secretKey }: CurveKeyPair,
  withSecret: boolean,
  metadata: Readonly<Record<string, string>>,
): string {
  const warning = withSecret
    ? '#   CURVE secret key of ZeroMQ: for its owner only'
    : '#   CURVE public key of ZeroMQ: give it to whom you like, in a way that nobody can change it';
  const described = Object.entries(metadata).map(([name, value]) => `    ${name} = "${value}"`);
  const secret = withSecret ? [`    secret-key = "${secretKey}"`] : [];
  return [
    warning,
    '',
    'metadata',
    ...described,
    'curve',
    `    public-key = "${publicKey}"`,
    ...secret,
    '',
  ].join('\n');
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
