/** The short form of test/soak/held-messages.test.ts. */
import { heldMessages } from './traffic/held-messages.js';

heldMessages(500_000);
