/** Connections that come and go in numbers; the long form is in test/stress. */
import { monitoredConnections } from './monitored/connections.js';

monitoredConnections(500, 20);
