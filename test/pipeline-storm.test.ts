/** The short form of test/stress/pipeline-storm.test.ts. */
import { lineStorm } from './traffic/line-storm.js';

lineStorm(3000, 500);
