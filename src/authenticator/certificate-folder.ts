/**
 * A folder of public keys, each in a file as czmq, pyzmq and `writeCurveKeyFiles` write it.
 *
 * 1. As czmq does, it takes every file of the folder and of the folders in it, except hidden ones and those whose name
 *    ends in `_secret`. Whatever holds no CURVE key is left out.
 * 2. The folder is looked through before each turn's first decision, so that a key that was taken away is refused from
 *    the next connection on. Only files that have changed are read again.
 */
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseCurveKeyFile } from '../curve-key-file.js';
import { FileSignature } from './file-signature.js';

/** A key file is far shorter; in bytes. */
const LARGEST_FILE = 64n * 1024n;
const DEEPEST = 8;

interface Certificate {
  readonly signature: FileSignature;
  /** Undefined for a file without a key. */
  readonly publicKey: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

export class CertificateFolder {
  #files = new Map<string, Certificate>();
  #keys = new Map<string, Certificate>();
  #turn = -1;

  constructor(readonly path: string) {}

  /**
   * What the key's file says about its owner; undefined for a key that no file has.
   *
   * @param turn the folder is looked through once in each
   * @throws a system error if the folder cannot be read
   */
  find(publicKey: string, turn: number): Readonly<Record<string, string>> | undefined {
    if (turn !== this.#turn) this.#lookThrough();
    this.#turn = turn;
    return this.#keys.get(publicKey)?.metadata;
  }

  #lookThrough(): void {
    const files = new Map<string, Certificate>();
    const keys = new Map<string, Certificate>();
    for (const path of filesIn(this.path)) {
      const certificate = this.#certificateAt(path);
      if (certificate === undefined) continue;
      files.set(path, certificate);
      const { publicKey } = certificate;
      if (publicKey !== undefined && !keys.has(publicKey)) keys.set(publicKey, certificate);
    }
    this.#files = files;
    this.#keys = keys;
  }

  /** Undefined for a file that went away, or that may not be read: nobody comes in with it. */
  #certificateAt(path: string): Certificate | undefined {
    try {
      const status = statSync(path, { bigint: true });
      if (!status.isFile()) return undefined;
      const signature = new FileSignature(status);
      const known = this.#files.get(path);
      if (known !== undefined && signature.proves(known.signature)) return known;
      const file = status.size > LARGEST_FILE ? 'too large' : parseCurveKeyFile(readFileSync(path, 'utf8'));
      if (typeof file === 'string') return { signature, publicKey: undefined, metadata: {} };
      return { signature, publicKey: file.publicKey, metadata: file.metadata };
    } catch {
      return undefined;
    }
  }
}

/** Sorted, so that of two files with one key it is always the same that counts. */
function filesIn(folder: string, depth = 0): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  entries.sort((one, other) => (one.name < other.name ? -1 : 1));
  return entries.flatMap((entry: Dirent): string[] => {
    if (entry.name.startsWith('.')) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return depth < DEEPEST ? filesInSome(path, depth + 1) : [];
    // Links to files, as Kubernetes mounts them, but not to folders, which could lead in circles.
    return (entry.isFile() || entry.isSymbolicLink()) && !entry.name.endsWith('_secret') ? [path] : [];
  });
}

function filesInSome(folder: string, depth: number): string[] {
  try {
    return filesIn(folder, depth);
  } catch {
    return [];
  }
}
