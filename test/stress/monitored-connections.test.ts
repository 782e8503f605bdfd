/** The long form of test/monitored-connections.test.ts. */
import { monitoredConnections } from '../monitored/connections.js';

monitoredConnections(10_000, 120);
