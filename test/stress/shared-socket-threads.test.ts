/** The long form of test/shared-socket-threads.test.ts. */
import { threadsReceive, threadsSend } from '../traffic/threads.js';

threadsSend(5000, 4);
threadsReceive(2000, 19);
