/** The long form of test/held-messages.test.ts. */
import { heldMessages } from '../traffic/held-messages.js';

heldMessages(10_000_000);
