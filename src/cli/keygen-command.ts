/** zeromq-threads keygen: a CURVE key pair, printed or written to files. */
import { Command } from 'commander';

import { addExamples, type Example, listed } from './arguments.js';
import { usageError } from './outcome.js';
import { Session } from './session.js';

interface Flags {
  output?: string;
  force?: true;
  json?: true;
  metadata?: string[];
}

const EXAMPLES: readonly Example[] = [
  { does: 'print a key pair', command: 'zeromq-threads keygen' },
  {
    does: 'write keys/server.key, to give away, and keys/server.key_secret, readable by you only',
    command: 'zeromq-threads keygen --output keys/server',
  },
  {
    does: 'the same, and say whose it is',
    command: "zeromq-threads keygen --output keys/worker --metadata name='worker 7'",
  },
];

export function keygenCommand(): Command {
  const command = new Command('keygen')
    .summary('make a CURVE key pair')
    .description(
      'Makes a key pair for the CURVE mechanism, and prints it or writes it to files, which czmq and pyzmq can read.',
    )
    .option('-o, --output <path>', 'write PATH.key (public) and PATH.key_secret (both keys, mode 0600)')
    .option('-f, --force', 'replace files that are there')
    .option('--metadata <name=value>', 'something to note in the files; can be repeated', listed)
    .option('--json', 'print JSON')
    .action((flags: Flags) => new Session('keygen').run((session) => keygen(session, flags)));
  return addExamples(command, EXAMPLES);
}

async function keygen(session: Session, { output, force, json, metadata }: Flags): Promise<void> {
  if (output === undefined && (force !== undefined || metadata !== undefined)) {
    throw usageError('--force and --metadata are for key files: --output says where');
  }
  const described = Object.fromEntries((metadata ?? []).map(pairOf));
  const { curveKeyPair } = await session.load();
  if (output === undefined) {
    const keys = curveKeyPair();
    const text = json ? JSON.stringify(keys) : `public-key ${keys.publicKey}\nsecret-key ${keys.secretKey}`;
    await session.write(`${text}\n`);
    return;
  }
  const { writeCurveKeyFiles } = await import('../curve-key-file.js');
  const keys = curveKeyPair();
  const files = await writeCurveKeyFiles(output, keys, { replace: force === true, metadata: described });
  const { publicKey } = keys;
  await session.write(
    json
      ? `${JSON.stringify({ publicKey, ...files })}\n`
      : `${files.publicFile}\n${files.secretFile}\npublic-key ${publicKey}\n`,
  );
}

function pairOf(text: string): [string, string] {
  const [, name, value] = /^([\w-]+)=([^"\n]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw usageError(`--metadata: expected name=value without quotes and line ends in it, got '${text}'`);
  }
  return [name, value];
}
