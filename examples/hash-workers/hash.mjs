// What server.mjs answers: [algorithm, content] with the digest as hex digits. Runs in each handler thread.
import { createHash } from 'node:crypto';

/** The content is hashed where it was received: nothing copies it. */
export default ([algorithm, content]) => createHash(String(algorithm)).update(content).digest('hex');
