/** CURVE keys in files: written and read here, by czmq and by pyzmq. */
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { describe, expect, it } from 'vitest';
import { ArgumentError, curveKeyPair, readCurveKeyFile, writeCurveKeyFiles, ZmqError } from 'zeromq-threads';

import { readKeysWith, SECURITY_LIBRARIES, writeKeysWith } from './peers/security.js';
import { scratchFolder } from './scratch-folder.js';

const KEYS = curveKeyPair();

describe('key files', () => {
  it('are a public one and a secret one that only its owner can read', async () => {
    const path = join(scratchFolder(), 'alice');
    const files = await writeCurveKeyFiles(path, KEYS);
    expect(files).toEqual({ publicFile: `${path}.key`, secretFile: `${path}.key_secret` });
    expect(statSync(files.secretFile).mode & 0o777).toBe(0o600);
    expect(await readCurveKeyFile(files.secretFile)).toEqual({ ...KEYS, metadata: {} });
    const open = await readCurveKeyFile(pathToFileURL(files.publicFile));
    expect(open).toEqual({ publicKey: KEYS.publicKey, secretKey: undefined, metadata: {} });
    expect(readFileSync(files.publicFile, 'utf8')).not.toContain(KEYS.secretKey);
    expect(readdirSync(join(path, '..'))).toEqual(['alice.key', 'alice.key_secret']);
  });

  it('are called the same by their name and by a path that has the ending', async () => {
    const path = join(scratchFolder(), 'alice');
    for (const ending of ['', '.key', '.key_secret']) {
      const { publicFile } = await writeCurveKeyFiles(`${path}${ending}`, KEYS, { replace: true });
      expect(publicFile).toBe(`${path}.key`);
    }
  });

  it.each(['.key', '.key_secret'])('do not replace a %s that is there unless told', async (ending) => {
    const path = join(scratchFolder(), 'alice');
    writeFileSync(`${path}${ending}`, 'mine');
    chmodSync(`${path}${ending}`, 0o644);
    const refused = writeCurveKeyFiles(path, KEYS);
    await expect(refused).rejects.toThrow(ZmqError);
    await expect(refused).rejects.toMatchObject({
      code: 'EEXIST',
      message: `${path}${ending} exists already`,
    });
    expect(readFileSync(`${path}${ending}`, 'utf8')).toBe('mine');
    expect(readdirSync(join(path, '..')), 'nothing else was left').toEqual([`alice${ending}`]);

    const { secretFile } = await writeCurveKeyFiles(path, KEYS, { replace: true });
    expect((await readCurveKeyFile(secretFile)).secretKey).toBe(KEYS.secretKey);
    expect(statSync(secretFile).mode & 0o777, 'a file that others could read is not written into').toBe(
      0o600,
    );
  });

  it('are written by one only of many who want the same name', async () => {
    const path = join(scratchFolder(), 'alice');
    const pairs = Array.from({ length: 16 }, () => curveKeyPair());
    const outcomes = await Promise.allSettled(pairs.map((pair) => writeCurveKeyFiles(path, pair)));
    const written = pairs.filter((_, index) => outcomes[index]!.status === 'fulfilled');
    expect(written.length).toBe(1);
    expect(await readCurveKeyFile(`${path}.key_secret`)).toMatchObject(written[0]!);
    expect((await readCurveKeyFile(`${path}.key`)).publicKey).toBe(written[0]!.publicKey);
  });

  it('keep metadata', async () => {
    const path = join(scratchFolder(), 'alice');
    const metadata = {
      name: 'Älice',
      e_mail: 'a@b.c',
      quoted: `it's`,
      other: '"#1"',
      empty: '',
      'a.b/c': ' x ',
    };
    const files = await writeCurveKeyFiles(path, KEYS, { metadata });
    for (const file of Object.values(files)) {
      expect((await readCurveKeyFile(file)).metadata, file).toEqual(metadata);
    }
  });

  it.each([
    ['a name with a space', { 'a b': 'x' }, /names of letters/],
    ['the name of a key, which pyzmq would take for it', { 'public-key': 'x' }, /names of letters/],
    ['two lines', { name: 'a\nb' }, /one line/],
    ['both kinds of quotes', { name: `'"` }, /quotes of one kind/],
    ['a number', { name: 1 }, /expected a string/],
    ['a list', 'x', /names and texts/],
  ])('refuse metadata that they cannot hold: %s', async (_what, metadata, message) => {
    const path = join(scratchFolder(), 'alice');
    const refused = writeCurveKeyFiles(path, KEYS, { metadata: metadata as never });
    await expect(refused).rejects.toThrow(ArgumentError);
    await expect(refused).rejects.toThrow(message);
    expect(existsSync(`${path}.key_secret`)).toBe(false);
  });

  it.each([
    ['no keys', undefined],
    ['one key', { publicKey: KEYS.publicKey }],
    ['keys of two pairs', { publicKey: KEYS.publicKey, secretKey: curveKeyPair().secretKey }],
    ['keys that are none', { publicKey: 'x', secretKey: 'y' }],
  ])('refuse %s', async (_what, keys) => {
    const refused = writeCurveKeyFiles(join(scratchFolder(), 'alice'), keys as never);
    await expect(refused).rejects.toThrow(ArgumentError);
    await expect(refused).rejects.not.toThrow(KEYS.publicKey);
  });

  it.each([[''], ['/tmp/'], [5], [undefined]])('refuse %j as a path', async (path) => {
    await expect(writeCurveKeyFiles(path as never, KEYS)).rejects.toThrow(ArgumentError);
  });

  it('are not written where there is no folder', async () => {
    const path = join(scratchFolder(), 'nowhere', 'alice');
    await expect(writeCurveKeyFiles(path, KEYS)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('reading a key file', () => {
  async function reading(text: string) {
    const path = join(scratchFolder(), 'x.key');
    writeFileSync(path, text);
    return readCurveKeyFile(path);
  }
  const { publicKey, secretKey } = KEYS;

  it('takes what others write by hand', async () => {
    const file = `# first\r\nmetadata # owner\r\n    name = Alice B. # bare\r\n    group\r\n        deep = x\r\n    mail=a@b\r\ncurve\r\n\tpublic-key = '${publicKey}' # mine\r\n`;
    expect(await reading(file)).toEqual({
      publicKey,
      secretKey: undefined,
      metadata: { name: 'Alice B.', mail: 'a@b' },
    });
  });

  it('finds keys in their section only', async () => {
    await expect(reading(`metadata\n    public-key = "${publicKey}"\n`)).rejects.toThrow('no public key');
    await expect(reading(`public-key = "${publicKey}"\n`)).rejects.toThrow('no public key');
    await expect(reading(`curve\npublic-key = "${publicKey}"\n`)).rejects.toThrow('no public key');
  });

  it.each([
    ['nothing', ''],
    ['bytes', '\u0000\uffff\u0001='],
    ['a secret key alone', `curve\n    secret-key = "${secretKey}"\n`],
    ['a key cut short', `curve\n    public-key = "${publicKey.slice(1)}"\n`],
    [
      'a secret key cut short',
      `curve\n    public-key = "${publicKey}"\n    secret-key = "${secretKey.slice(1)}"\n`,
    ],
    [
      'keys of two pairs',
      `curve\n    public-key = "${publicKey}"\n    secret-key = "${curveKeyPair().secretKey}"\n`,
    ],
  ])('refuses %s, and does not show what may be a secret', async (_what, text) => {
    const refused = reading(text);
    await expect(refused).rejects.toThrow(ArgumentError);
    await expect(refused).rejects.not.toThrow(secretKey.slice(5, 20));
  });

  it('says when there is no file', async () => {
    await expect(readCurveKeyFile('/nowhere/x.key')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(readCurveKeyFile(5 as never)).rejects.toThrow(ArgumentError);
  });
});

describe.each(SECURITY_LIBRARIES)('%s', (library) => {
  const metadata = { name: 'Alice B.', email: 'alice@example.org' };

  it('reads our files', async () => {
    const path = join(scratchFolder(), 'alice');
    await writeCurveKeyFiles(path, KEYS, { metadata });
    const read = readKeysWith(library, `${path}.key_secret`);
    expect(read.get('public-key')).toBe(KEYS.publicKey);
    expect(read.get('secret-key')).toBe(KEYS.secretKey);
    if (library === 'czmq') expect(Object.fromEntries(read)).toMatchObject(metadata);
    expect(readKeysWith(library, `${path}.key`).get('public-key')).toBe(KEYS.publicKey);
  });

  it('reads metadata with quotes in our files', async () => {
    const path = join(scratchFolder(), 'alice');
    await writeCurveKeyFiles(path, KEYS, { metadata: { one: `it's # 1`, two: '"2"' } });
    const read = readKeysWith(library, `${path}.key_secret`);
    expect(read.get('secret-key')).toBe(KEYS.secretKey);
    if (library === 'czmq') expect(read.get('one')).toBe(`it's # 1`);
    if (library === 'czmq') expect(read.get('two')).toBe('"2"');
  });

  it('writes files that we read', async () => {
    const path = join(scratchFolder(), 'alice');
    const keys = writeKeysWith(library, library === 'czmq' ? `${path}.key` : path, metadata);
    const secret = await readCurveKeyFile(`${path}.key_secret`);
    expect(secret).toEqual({
      publicKey: keys.get('public-key'),
      secretKey: keys.get('secret-key'),
      metadata,
    });
    const open = await readCurveKeyFile(`${path}.key`);
    expect(open).toMatchObject({ publicKey: keys.get('public-key'), secretKey: undefined });
  });
});
