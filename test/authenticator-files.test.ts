/** Authenticator with files: users and keys that change while it runs. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { curveKeyPair, writeCurveKeyFiles } from 'zeromq-threads';

import {
  authenticated,
  CURVE_SERVER,
  curveClient,
  outcomeOf,
  PLAIN_SERVER,
  pulling,
  pushing,
} from './authenticating.js';
import { within } from './bounded.js';
import { SECURITY_LIBRARIES, writeKeysWith } from './peers/security.js';
import { scratchFolder } from './scratch-folder.js';

const ALICE = curveKeyPair();
const BOB = curveKeyPair();

describe('a folder of keys', () => {
  it('counts as it is at the time of each connection', async () => {
    const folder = scratchFolder();
    const { context, authenticator } = authenticated();
    const [, endpoint] = pulling(context, CURVE_SERVER);
    const outcome = async (keys = ALICE) =>
      (await outcomeOf(authenticator, endpoint, curveClient(keys))).type;
    await authenticator.configureCurve({ directory: folder });
    expect(await outcome(), 'in an empty folder').toBe('denied');
    const { publicFile } = await writeCurveKeyFiles(join(folder, 'alice'), ALICE);
    expect(await outcome(), 'added').toBe('accepted');
    expect(await outcome(BOB)).toBe('denied');
    await writeCurveKeyFiles(join(folder, 'alice'), BOB, { replace: true });
    expect(await outcome(), 'replaced').toBe('denied');
    expect(await outcome(BOB)).toBe('accepted');
    writeFileSync(publicFile, `curve\n    public-key = "${ALICE.publicKey}"\n`);
    expect(await outcome(), 'written over in place').toBe('accepted');
    rmSync(publicFile);
    expect(await outcome(), 'its secret file alone lets nobody in').toBe('denied');
  });

  it('may hold other things, and says whose key it is', async () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'notes.txt'), 'not a key');
    writeFileSync(join(folder, 'large.key'), Buffer.alloc(100_000, 'x'));
    await writeCurveKeyFiles(join(folder, 'alice'), ALICE, {
      metadata: { Name: 'Alice B.', 'a@b': 'left out' },
    });
    const { context, authenticator } = authenticated();
    await authenticator.configureCurve({ directory: folder });
    const [pull, endpoint] = pulling(context, CURVE_SERVER);
    pushing(context, endpoint, curveClient(ALICE));
    const message = await within('the message', pull.recv());
    expect(message.metadata('User-Id')).toBe(ALICE.publicKey);
    expect(message.metadata('Name')).toBe('Alice B.');
    expect(message.metadata('a@b')).toBeUndefined();
  });

  it.each(SECURITY_LIBRARIES)('may be written by %s', async (library) => {
    const folder = scratchFolder();
    const path = join(folder, library === 'czmq' ? 'alice.key' : 'alice');
    const keys = writeKeysWith(library, path, { name: 'Alice' });
    const { context, authenticator } = authenticated();
    await authenticator.configureCurve({ directory: folder });
    const [, endpoint] = pulling(context, CURVE_SERVER);
    const pair = { publicKey: keys.get('public-key')!, secretKey: keys.get('secret-key')! };
    expect((await outcomeOf(authenticator, endpoint, curveClient(pair))).type).toBe('accepted');
    expect((await outcomeOf(authenticator, endpoint, curveClient(ALICE))).type).toBe('denied');
  });

  it('that is not there lets nobody in, and says so', async () => {
    const folder = join(scratchFolder(), 'later');
    const { context, authenticator } = authenticated();
    await expect(authenticator.configureCurve({ directory: folder })).rejects.toMatchObject({
      code: 'ENOENT',
    });
    const errors: Error[] = [];
    authenticator.events.on('error', ({ error }) => errors.push(error));
    const [, endpoint] = pulling(context, CURVE_SERVER);
    expect(await outcomeOf(authenticator, endpoint, curveClient(ALICE))).toMatchObject({ status: 300 });
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining(`Cannot read ${folder}`)]);
  });
});

describe('a file of users', () => {
  it('has the format of czmq, and counts as it is at the time of each connection', async () => {
    const file = join(scratchFolder(), 'users');
    const { context, authenticator } = authenticated();
    await expect(authenticator.configurePlain({ file })).rejects.toMatchObject({ code: 'ENOENT' });
    writeFileSync(file, '# users\n\nadmin=se=cret \r\nnobody\n=x\n#root=x\nbob=b\n');
    await authenticator.configurePlain({ file });
    const [, endpoint] = pulling(context, PLAIN_SERVER);
    const outcome = async (plainUsername: string, plainPassword: string) =>
      (await outcomeOf(authenticator, endpoint, { plainUsername, plainPassword })).type;
    expect(await outcome('admin', 'se=cret ')).toBe('accepted');
    expect(await outcome('admin', 'se')).toBe('denied');
    expect(await outcome('#root', 'x')).toBe('denied');
    expect(await outcome('bob', 'b')).toBe('accepted');
    writeFileSync(file, 'admin=se=cret \nbob=c\n');
    expect(await outcome('bob', 'b'), 'after a change').toBe('denied');
    expect(await outcome('bob', 'c')).toBe('accepted');
    rmSync(file);
    expect(await outcome('bob', 'c'), 'after the file went away').toBe('denied');
  });
});
