/** The short form of test/soak/serve-storm.test.ts. */
import { serveStorm } from './traffic/serve-storm.js';

serveStorm(20_000, { c: 4, python: 2, node: 2 });
