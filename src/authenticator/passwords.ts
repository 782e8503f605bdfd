/**
 * User names and passwords for PLAIN: in memory, or in a file as czmq's zauth reads it, with a line `name=password` for
 * each user. Passwords are kept as digests, which are of one length, so that comparing them takes the same time
 * whatever they are.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { FileSignature } from './file-signature.js';

const NOBODY = digestOf('');

/** Who has what password. */
export class Passwords {
  readonly #digests: Map<string, Uint8Array>;

  constructor(entries: Iterable<readonly [name: string, password: string]>) {
    this.#digests = new Map([...entries].map(([name, password]) => [name, digestOf(password)]));
  }

  accepts(name: string, password: Uint8Array): boolean {
    const known = this.#digests.get(name);
    const isSame = timingSafeEqual(known ?? NOBODY, digestOf(password));
    return known !== undefined && isSame;
  }
}

/** A file of passwords, read again when it has changed. */
export class PasswordFile {
  #signature: FileSignature | undefined;
  #passwords = new Passwords([]);
  #turn = -1;

  constructor(readonly path: string) {}

  /**
   * @param turn the file is looked at once in each
   * @throws a system error if it cannot be read
   */
  read(turn: number): Passwords {
    if (turn === this.#turn) return this.#passwords;
    const signature = new FileSignature(statSync(this.path, { bigint: true }));
    if (this.#signature === undefined || !signature.proves(this.#signature)) {
      this.#passwords = new Passwords(parsePasswords(readFileSync(this.path, 'utf8')));
      this.#signature = signature;
    }
    this.#turn = turn;
    return this.#passwords;
  }
}

/** The users in a file's text. Lines that begin with `#` or have no name and `=` are left out, as czmq does. */
export function parsePasswords(text: string): [name: string, password: string][] {
  return text.split(/\r?\n/).flatMap((line): [string, string][] => {
    const equals = line.indexOf('=');
    return line.startsWith('#') || equals < 1 ? [] : [[line.slice(0, equals), line.slice(equals + 1)]];
  });
}

function digestOf(password: string | Uint8Array): Uint8Array {
  return createHash('sha256').update(password).digest();
}
