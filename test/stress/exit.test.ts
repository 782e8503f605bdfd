/** The long form of test/exit.test.ts. */
import { endings } from '../lifecycle/endings.js';

endings(10);
