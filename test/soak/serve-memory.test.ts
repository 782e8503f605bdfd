/** The long form of test/serve-memory.test.ts. */
import { serveMemory } from '../traffic/serve-memory.js';

serveMemory(10_000_000);
