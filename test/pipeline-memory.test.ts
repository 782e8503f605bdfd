/** The short form of test/soak/pipeline-memory.test.ts. */
import { lineMemory } from './traffic/line-memory.js';

lineMemory(100_000);
