/** Endpoints that no other test uses. */
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

let counter = 0;

export const endpoints = {
  /** A wildcard: bind it, then read the resolved endpoint. */
  tcp(): string {
    return 'tcp://127.0.0.1:*';
  },

  /** A socket file in a fresh temporary folder, removed when the test ends. */
  ipc(): string {
    const folder = mkdtempSync(join(tmpdir(), 'zmq-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    return `ipc://${join(folder, 'socket')}`;
  },

  inproc(): string {
    return `inproc://test-${process.pid}-${++counter}`;
  },

  /** A tcp endpoint with a fixed port that was free just now: to connect before anyone binds it. */
  async unboundTcp(): Promise<string> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return `tcp://127.0.0.1:${port}`;
  },
};
