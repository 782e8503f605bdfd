/** The long form of test/pipeline-storm.test.ts. */
import { lineStorm } from '../traffic/line-storm.js';

lineStorm(100_000, 1000);
lineStorm(20_000, 100);
