/** The long form of test/pipeline-memory.test.ts. */
import { lineMemory } from '../traffic/line-memory.js';

lineMemory(10_000_000);
