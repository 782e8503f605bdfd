// Work that keeps a core busy for a third of a millisecond or so. It is done in the demo's own event loop first, then
// in the threads of serve(), of which this module is the handler.
import { pbkdf2Sync } from 'node:crypto';

export const work = (request) => pbkdf2Sync(request, 'demo', 1500, 32, 'sha256');

export default ([request]) => work(request);
