/** A process that keeps a core busy until it is killed. */
import { keepBusy } from './busy.mjs';

keepBusy(1);
