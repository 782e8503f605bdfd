/**
 * CURVE keys in files, as czmq (zcert) and pyzmq (zmq.auth.certs) write and read them: ZPL with a section `curve`. The
 * public key of NAME is in `NAME.key`, both keys are in `NAME.key_secret`, which only its owner can read.
 */
import { constants, copyFile, link, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { type CurveKeyPair, curvePublicKey } from './curve.js';
import { curveKeyBytes } from './curve-key.js';
import { ArgumentError, argumentError, ZmqError } from './errors.js';
import { checkFlag, checkOptions } from './pending.js';
import { parseZpl, quoteZpl, ZPL_NAME } from './zpl.js';

const PRIVATE = 0o600;
const PUBLIC = 0o644;
/** What file systems without hard links say. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'];

/** What a key file holds. */
export interface CurveKeyFile {
  /** 40 characters of Z85. */
  readonly publicKey: string;
  /** Undefined in a public file. */
  readonly secretKey: string | undefined;
  /** What the file says about the owner. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The two files that were written. */
export interface CurveKeyFilePaths {
  readonly publicFile: string;
  readonly secretFile: string;
}

/** Options of {@link writeCurveKeyFiles}. */
export interface CurveKeyFileOptions {
  /** Whether files that are there may be replaced; they may not unless told. */
  replace?: boolean | undefined;
  /** What to say about the owner: `{ name: 'worker 7' }`. */
  metadata?: Readonly<Record<string, string>> | undefined;
}

/**
 * Writes a key pair to `PATH.key`, to give away, and `PATH.key_secret`, with mode 0600. Each appears complete or not
 * at all; if the second cannot be written, the first is taken back, unless it replaced another.
 *
 * ```ts
 * const { publicFile, secretFile } = await writeCurveKeyFiles('keys/alice', curveKeyPair());
 * ```
 *
 * @param path folder, which has to be there, and name, without an ending
 * @throws (rejects) {@link ZmqError} `'EEXIST'` if one of them is there and is not to be replaced, a system error if
 *   they cannot be written, {@link ArgumentError} for keys that are no pair, and for metadata that the format has no
 *   way to write
 */
export async function writeCurveKeyFiles(
  path: string,
  keys: CurveKeyPair,
  options?: CurveKeyFileOptions,
): Promise<CurveKeyFilePaths> {
  const paths = curveKeyFilePaths(path);
  const { replace, metadata } = checkOptions(options, ['replace', 'metadata']);
  checkPair(keys);
  const described = metadataLines(metadata ?? {});
  const put = checkFlag('options.replace', replace) ? rename : linkNew;
  const folder = await mkdtemp(join(dirname(path), '.curve-'));
  try {
    const secret = join(folder, 'secret');
    const open = join(folder, 'public');
    await writeFile(secret, textOf(keys, true, described), { mode: PRIVATE, flag: 'wx' });
    await writeFile(open, textOf(keys, false, described), { mode: PUBLIC, flag: 'wx' });
    await put(secret, paths.secretFile);
    try {
      await put(open, paths.publicFile);
    } catch (error) {
      if (put === linkNew) await rm(paths.secretFile, { force: true });
      throw error;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return paths;
}

/** Where {@link writeCurveKeyFiles} writes. */
function curveKeyFilePaths(path: string): CurveKeyFilePaths {
  if (typeof path !== 'string') throw argumentError('path', 'a folder and a name', path);
  const stem = path.replace(/\.key(_secret)?$/, '');
  if (basename(stem) === '' || /[/\\]$/.test(path)) {
    throw new ArgumentError(`path: expected a folder and a name, got '${path}'`);
  }
  return { publicFile: `${stem}.key`, secretFile: `${stem}.key_secret` };
}

/**
 * Reads a key file, public or secret, of this package, czmq or pyzmq.
 *
 * ```ts
 * const { publicKey, secretKey, metadata } = await readCurveKeyFile('keys/alice.key_secret');
 * ```
 *
 * @throws (rejects) {@link ArgumentError} if it holds no CURVE key, or one that does not belong to the other; a system
 *   error if it cannot be read
 */
export async function readCurveKeyFile(path: string | URL): Promise<CurveKeyFile> {
  if (typeof path !== 'string' && !(path instanceof URL))
    throw argumentError('path', 'a path or a file: URL', path);
  const text = await readFile(path, 'utf8');
  const file = parseCurveKeyFile(text);
  if (typeof file === 'string') {
    throw new ArgumentError(
      `${path}: expected a CURVE key file as czmq and pyzmq write it, but ${file} in it`,
    );
  }
  const { publicKey, secretKey } = file;
  if (secretKey !== undefined && curvePublicKey(secretKey) !== publicKey) {
    throw new ArgumentError(`${path}: expected two keys that belong together, got others`);
  }
  return file;
}

/** @internal What the text of a key file says; what is wrong with it otherwise. */
export function parseCurveKeyFile(text: string): CurveKeyFile | string {
  const values = parseZpl(text);
  const publicKey = values.get('curve public-key');
  let secretKey = values.get('curve secret-key');
  // czmq writes zeros for a secret key that it does not have.
  if (secretKey !== undefined && /^0+$/.test(secretKey)) secretKey = undefined;
  if (publicKey === undefined) return 'there is no public key';
  for (const key of [publicKey, secretKey]) {
    // Not what it is: it may be a secret that is nearly right.
    if (key !== undefined && curveKeyBytes(key) === undefined) return 'there is a key that is no Z85 key';
  }
  const metadata = [...values].flatMap(([name, value]) => {
    const [, own] = /^metadata (\S+)$/.exec(name) ?? [];
    return own === undefined ? [] : [[own, value] as const];
  });
  return { publicKey, secretKey, metadata: Object.fromEntries(metadata) };
}

function checkPair(keys: CurveKeyPair): void {
  const { publicKey, secretKey } = keys ?? {};
  if (typeof publicKey !== 'string' || typeof secretKey !== 'string') {
    throw argumentError('keys', 'a key pair, as curveKeyPair() makes it', keys);
  }
  if (curvePublicKey(secretKey) !== publicKey) {
    throw new ArgumentError('keys: expected two keys that belong together, got others');
  }
}

function metadataLines(metadata: Readonly<Record<string, string>>): string[] {
  if (typeof metadata !== 'object' || metadata === null) {
    throw argumentError('options.metadata', 'an object of names and texts', metadata);
  }
  return Object.entries(metadata).map(([name, value]) => {
    // pyzmq takes a line that begins so for the key, wherever it stands.
    if (!ZPL_NAME.test(name) || /^(public|secret)-key/.test(name)) {
      throw new ArgumentError(
        `options.metadata: expected names of letters, digits and $-_@.&+/ that are not those of keys, got '${name}'`,
      );
    }
    if (typeof value !== 'string') throw argumentError(`options.metadata['${name}']`, 'a string', value);
    const quoted = quoteZpl(value);
    if (quoted === undefined) {
      throw new ArgumentError(
        `options.metadata['${name}']: expected one line of text with quotes of one kind at most, got '${value}'`,
      );
    }
    return `    ${name} = ${quoted}`;
  });
}

function textOf({ publicKey, secretKey }: CurveKeyPair, withSecret: boolean, described: string[]): string {
  const warning = withSecret
    ? '#   CURVE secret key of ZeroMQ: for its owner only'
    : '#   CURVE public key of ZeroMQ: give it to whom you like, in a way that nobody can change it';
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

/** Gives a complete file its name, if nothing else has that. */
async function linkNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to).catch(async (error: NodeJS.ErrnoException) => {
      if (!NO_LINKS.includes(error.code ?? '')) throw error;
      await copyFile(from, to, constants.COPYFILE_EXCL);
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new ZmqError(`${to} exists already`, { code: 'EEXIST', cause: error });
  }
}
