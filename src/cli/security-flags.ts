/** Flags that give sockets CURVE keys from files, or PLAIN user names. */
import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Authenticator, SocketOptions } from '../index.js';
import { listed } from './arguments.js';
import { usageError } from './outcome.js';
import type { Session } from './session.js';

/** Where a password can be given without everybody seeing it in the list of processes. */
const PASSWORD_VARIABLE = 'ZEROMQ_THREADS_PASSWORD';
const OTHERS = 0o077;
/** Nobody comes in when there is no Authenticator. */
const ZAP_DOMAIN = { zapDomain: 'global', zapEnforceDomain: true } as const;

export interface SecurityFlags {
  curveServer?: true;
  curveKeys?: string;
  curveServerKey?: string;
  curveAllow?: string[];
  plainServer?: true;
  plainUsername?: string;
  plainPassword?: string;
}

export function addSecurityFlags(command: Command): Command {
  return command
    .option('--curve-server-key <file|key>', "CURVE client: the server's public key")
    .option('--curve-keys <file>', 'own key pair, a .key_secret file; clients make one if they have none')
    .option('--curve-server', 'CURVE server, with --curve-keys')
    .option('--curve-allow <file|key>', 'let only this client in; can be repeated', listed)
    .option('--plain-username <name>', 'PLAIN: the user name; on a server the one that is let in')
    .option('--plain-password <text>', `PLAIN: the password; better in ${PASSWORD_VARIABLE}`)
    .option('--plain-server', 'PLAIN server');
}

/** What the flags say, as options of a socket. Starts to answer who may connect, where that is asked for. */
export async function securityOptions(session: Session, flags: SecurityFlags): Promise<SocketOptions> {
  const curve = flags.curveServer ?? flags.curveKeys ?? flags.curveServerKey ?? flags.curveAllow;
  const plain = flags.plainServer ?? flags.plainUsername ?? flags.plainPassword;
  if (curve !== undefined && plain !== undefined) throw usageError('CURVE and PLAIN exclude each other');
  if (curve !== undefined) return curveOptions(session, flags);
  return plain === undefined ? {} : plainOptions(session, flags);
}

async function curveOptions(session: Session, flags: SecurityFlags): Promise<SocketOptions> {
  const { curveServer, curveKeys, curveServerKey, curveAllow } = flags;
  const { curveKeyPair } = await session.load();
  const own = curveKeys === undefined ? undefined : await keyPairOf(session, curveKeys);
  if (curveServer !== undefined) {
    if (curveServerKey !== undefined)
      throw usageError('--curve-server and --curve-server-key exclude each other');
    if (own === undefined) throw usageError('--curve-server needs --curve-keys, its key pair');
    if (curveAllow !== undefined) {
      const keys = await Promise.all(curveAllow.map((given) => publicKeyOf(given, '--curve-allow')));
      await (await authenticator(session)).configureCurve({ keys });
    }
    const zapDomain = curveAllow === undefined ? {} : ZAP_DOMAIN;
    return { curveServer: true, curvePublicKey: own.publicKey, curveSecretKey: own.secretKey, ...zapDomain };
  }
  if (curveAllow !== undefined) throw usageError('--curve-allow is for servers: --curve-server');
  if (curveServerKey === undefined) {
    throw usageError('--curve-keys needs --curve-server-key of the server to connect to, or --curve-server');
  }
  const { publicKey, secretKey } = own ?? curveKeyPair();
  return {
    curveServerKey: await publicKeyOf(curveServerKey, '--curve-server-key'),
    curvePublicKey: publicKey,
    curveSecretKey: secretKey,
  };
}

async function plainOptions(session: Session, flags: SecurityFlags): Promise<SocketOptions> {
  const { plainServer, plainUsername } = flags;
  const password = flags.plainPassword ?? process.env[PASSWORD_VARIABLE];
  if (plainUsername === undefined || password === undefined) {
    throw usageError(`PLAIN needs --plain-username, and --plain-password or ${PASSWORD_VARIABLE}`);
  }
  if (plainServer === undefined) return { plainUsername, plainPassword: password };
  await (await authenticator(session)).configurePlain({ passwords: new Map([[plainUsername, password]]) });
  return { plainServer: true, ...ZAP_DOMAIN };
}

/** Decides who may connect until the command ends, and says whom it refuses. Make it before anything is bound. */
async function authenticator(session: Session): Promise<Authenticator> {
  const { Authenticator } = await session.load();
  const made = new Authenticator();
  made.events.on('denied', ({ address }) => {
    session.note(`refused ${address}, which does not have the right credentials`);
  });
  return made;
}

async function keyPairOf(session: Session, path: string): Promise<{ publicKey: string; secretKey: string }> {
  const { readCurveKeyFile } = await import('../curve-key-file.js');
  const { publicKey, secretKey } = await readCurveKeyFile(path);
  if (secretKey === undefined) throw usageError(`--curve-keys: ${path} has no secret key in it`);
  const { mode } = await stat(path);
  if (process.platform !== 'win32' && (mode & OTHERS) !== 0) {
    session.note(`others can read or write ${path}, which holds a secret key: chmod 600 it`);
  }
  return { publicKey, secretKey };
}

/** From a file, or the key itself. */
async function publicKeyOf(given: string, flag: string): Promise<string> {
  const { curveKeyBytes } = await import('../curve-key.js');
  if (curveKeyBytes(given) !== undefined) return given;
  const { readCurveKeyFile } = await import('../curve-key-file.js');
  try {
    return (await readCurveKeyFile(given)).publicKey;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw usageError(`${flag}: expected a key file or 40 characters of Z85; there is no file '${given}'`);
  }
}
