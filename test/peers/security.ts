/** czmq and pyzmq as programs that deal with keys and with who may connect. See czmq/ and python/auth.py. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import type { CurveKeyPair } from 'zeromq-threads';

import { buildCzmqPeer, findPythonPeer, type Program, plainEnvironment } from './build.js';
import { LineProcess } from './line-process.js';

export type SecurityLibrary = 'czmq' | 'pyzmq';

export const SECURITY_LIBRARIES: readonly SecurityLibrary[] = ['czmq', 'pyzmq'];

function program(library: SecurityLibrary): Program {
  if (library === 'czmq') return buildCzmqPeer();
  const script = fileURLToPath(new URL('python/auth.py', import.meta.url));
  return { command: findPythonPeer().command, args: ['-B', script] };
}

function run(library: SecurityLibrary, ...words: string[]): Map<string, string> {
  const { command, args } = program(library);
  const output = execFileSync(command, [...args, ...words], {
    encoding: 'utf8',
    env: plainEnvironment(),
    timeout: 10_000,
  });
  const lines = output.split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => line.split('\t', 2) as [string, string]));
}

/** Has the library write a key pair. @returns the keys by their names in the file */
export function writeKeysWith(
  library: SecurityLibrary,
  path: string,
  metadata: Readonly<Record<string, string>> = {},
): Map<string, string> {
  return run(library, 'write', path, ...Object.entries(metadata).flat());
}

/** Has the library read a key file. @returns the keys, and with czmq the metadata */
export function readKeysWith(library: SecurityLibrary, path: string): Map<string, string> {
  return run(library, 'read', path);
}

/** A PULL server that lets in whom the library's own authenticator does. It is killed when the test ends. */
export async function startAuthenticator(
  library: SecurityLibrary,
  folder: string,
  { publicKey, secretKey }: CurveKeyPair,
): Promise<{ endpoint: string; message(): Promise<string> }> {
  const { command, args } = program(library);
  const child = new LineProcess(command, [...args, 'serve', folder, publicKey, secretKey], {
    name: `${library}'s authenticator`,
    env: plainEnvironment(),
  });
  const line = (name: string): Promise<string> =>
    child.waitFor(`it prints ${name}`, 10_000, ({ lines }) =>
      lines.find((text) => text.startsWith(`${name}\t`))?.slice(name.length + 1),
    );
  return { endpoint: await line('endpoint'), message: () => line('message') };
}
