/** The task of a Piscina pool in the serve benchmark. */
import { workerData } from 'node:worker_threads';

import { makeBurn } from '../lib/burn.mjs';

const burn = makeBurn(workerData);

export default function handle(body) {
  burn();
  return body;
}
