// What every handler thread of every worker does: it answers with the SHA-256 of the request, and says who did it.
import { createHash } from 'node:crypto';
import { workerData } from 'node:worker_threads';

export default function handle([body]) {
  return [createHash('sha256').update(body).digest('hex'), workerData.name];
}
