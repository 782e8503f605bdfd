/** The long form of test/serve-storm.test.ts. */
import { serveStorm } from '../traffic/serve-storm.js';

serveStorm(1_000_000, { c: 24, python: 14, node: 12 });
