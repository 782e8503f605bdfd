/** Echoes, or fails at random, after a random while; `die` ends its thread: see traffic/serve-storm.ts. */
import { setTimeout as sleep } from 'node:timers/promises';

export default function storm(request) {
  if (String(request[0]) === 'die') process.exit(1);
  const dice = Math.random();
  if (dice < 0.01) throw new RangeError('at random');
  if (dice > 0.99) return sleep(Math.random() * 3).then(() => request);
  return request;
}
