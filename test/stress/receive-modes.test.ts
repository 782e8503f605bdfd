/** The long form of test/receive-modes.test.ts. */
import { describe } from 'vitest';

import { mixedReceives } from '../traffic/receiving.js';

const SEEDS = Array.from({ length: 40 }, (_, index) => 100 + index);

describe.each(['c', 'ourselves'] as const)('messages from %s', (from) => mixedReceives(from, SEEDS));
