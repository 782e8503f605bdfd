/** The long form of test/hostile-peers.test.ts. */
import { attackedServers } from '../hostile/hostile.js';
import { announcedMemory, silence, tampering } from '../hostile/patience.js';

attackedServers(
  Array.from({ length: 10 }, (_, index) => ({ seed: 100 + index, streams: 300, messages: 3000 })),
);
announcedMemory(500);
silence(1000);
for (const seed of [100, 101, 102]) tampering(seed, 200);
