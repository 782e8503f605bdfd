/** The long form of the mixed sends of test/send-without-room.test.ts. */
import { mixedSends } from '../traffic/sending.js';

mixedSends(
  20_000,
  Array.from({ length: 40 }, (_, index) => 100 + index),
);
