/** Two DEALERs and what all their threads do to each other, in short; test/stress has the long form. */
import { describe } from 'vitest';

import { hunt, scenarios, transports } from './workloads/missed-edge.js';

const forms = [{ messages: 10_000 }, { messages: 2000, mark: 1 }, { messages: 600, window: 2 }];

describe('no event is missed and no message lost', () => {
  for (const [row, scenario] of scenarios.entries()) {
    // Every form of every scenario, with every transport in turn.
    for (const [column, form] of forms.entries()) {
      hunt({ scenario, transport: transports[(row + column) % transports.length]!, ...form });
    }
  }
});
