import os from 'node:os';
import { defineConfig } from 'vitest/config';

// test/stress and test/soak run only when asked for: npm run test:stress, npm run test:soak.
const stress = process.env.ZMQT_STRESS === '1';
const soak = process.env.ZMQT_SOAK === '1';
// A sanitizer's runtime, for the processes that run tests and not for Vitest's own: scripts/test-sanitized.sh.
const sanitizer = process.env.ZMQT_SANITIZER_RUNTIME;

const minutes = 60_000;
const testTimeout = soak ? 0 : stress ? 10 * minutes : sanitizer ? 5 * minutes : 30_000;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**', ...(stress ? [] : ['test/stress/**']), ...(soak ? [] : ['test/soak/**'])],
    // Every file in a process of its own: native state is per process, and a crash costs one file only.
    pool: 'forks',
    isolate: true,
    env: sanitizer ? { LD_PRELOAD: sanitizer } : {},
    execArgv: ['--expose-gc'],
    // A test file keeps at least two threads busy: its own and an I/O worker.
    maxWorkers: Math.max(1, Math.floor(os.availableParallelism() / 2)),
    testTimeout,
    hookTimeout: testTimeout,
    retry: 0,
    reporters: process.env.CI ? ['default', 'json'] : ['default'],
    outputFile: { json: 'test-results/vitest.json' },
    server: {
      // The built package is what is tested. Node must load it, not Vite, so that import.meta.url, worker
      // entry files and the addon are those of an installed package.
      deps: { external: [/\/dist\//, /\.node$/] },
    },
  },
});
