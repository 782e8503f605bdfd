/** What strangers send to open ports; the long form is in test/stress. */
import { attackedServers } from './hostile/hostile.js';
import { announcedMemory, silence, tampering } from './hostile/patience.js';

attackedServers([{ seed: 1, streams: 30, messages: 300 }]);
announcedMemory(50);
silence(200);
tampering(1, 20);
