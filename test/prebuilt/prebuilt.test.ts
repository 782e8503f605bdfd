/** The addon as it is published, with a libzmq in it: scripts/test-prebuilt.sh says which. */
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { describe, expect, it } from 'vitest';

import { install } from '../install-script.js';
import { PACKAGE_ROOT } from '../peers/build.js';
import { runNode } from '../peers/index.js';

const addon = process.env.ZEROMQ_THREADS_ADDON ?? '';

describe.skipIf(!addon.includes('prebuilds'))('the prebuilt addon', () => {
  it('needs no libzmq, and shows none to others', async () => {
    const { stdout } = await runNode(`
      import { capability, curveKeyPair } from 'zeromq-threads';
      curveKeyPair();
      const { sharedObjects } = process.report.getReport();
      console.log(JSON.stringify({ capability, sharedObjects }));
    `);
    const { capability, sharedObjects } = JSON.parse(stdout) as {
      capability: Record<string, boolean>;
      sharedObjects: string[];
    };
    expect(sharedObjects).toContain(addon);
    expect(sharedObjects.filter((name) => /zmq|sodium/i.test(name))).toEqual([]);
    expect(capability).toMatchObject({ curve: true, draft: true, ipc: true });
  });

  it('is installed where there are no compiler and no libzmq, and used', async () => {
    const { status, stderr, folder } = install({}, ['prebuilds']);
    expect(status, stderr).toBe(0);
    // Not a link: the package looks for its addon where it really is.
    cpSync(`${PACKAGE_ROOT}dist/bundle`, `${folder}/dist/bundle`, { recursive: true });
    const { lines, stderr: errors } = await runNode(
      `import { Push } from ${JSON.stringify(`${folder}/dist/bundle/src/index.js`)};
      console.log(new Push().getOption('outBatchSize'));
      console.log(process.report.getReport().sharedObjects.filter((name) => name.endsWith('.node')).join());`,
      [],
      { env: { ZEROMQ_THREADS_ADDON: '', LD_LIBRARY_PATH: '' } },
    );
    expect(lines[0], errors).toBe('65536');
    expect(basename(lines[1]!)).toBe(basename(addon));
  });

  it('has the licences of what is in it beside it', () => {
    expect(readdirSync(dirname(addon))).toEqual(
      expect.arrayContaining(['LICENSE.libsodium', 'LICENSE.libzmq']),
    );
  });

  it('is beside one that uses the system’s libzmq in a process, and both have their own', async () => {
    const build = `${PACKAGE_ROOT}build/Release/zeromq_threads.node`;
    const env = { LD_LIBRARY_PATH: '' };
    const alone = await runNode(
      `import { capability } from 'zeromq-threads';
      console.log(capability.draft);`,
      [],
      { env: { ...env, ZEROMQ_THREADS_ADDON: build } },
    );
    const { lines, stderr } = await runNode(
      `import { createRequire } from 'node:module';
      import { capability, Pair } from 'zeromq-threads';
      const other = createRequire(import.meta.url)(${JSON.stringify(build)});
      console.log(other.has('draft'));
      console.log(capability.draft);
      const [a, b] = [new Pair(), new Pair()];
      a.connect(b.bind('tcp://127.0.0.1:*'));
      await a.send(Buffer.alloc(100_000, 'x'));
      console.log((await b.recv()).length, b.getOption('outBatchSize'));
      const { sharedObjects } = process.report.getReport();
      console.log(sharedObjects.filter((name) => name.includes('libzmq')).length);`,
      [],
      { env },
    );
    expect(lines, stderr).toEqual([...alone.lines, 'true', '100000 65536', '1']);
  });

  it('says nothing of where it was built', () => {
    expect(readFileSync(addon).includes(PACKAGE_ROOT)).toBe(false);
  });
});
