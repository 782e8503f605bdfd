/** The short form of test/soak/serve-memory.test.ts. */
import { serveMemory } from './traffic/serve-memory.js';

serveMemory(100_000);
