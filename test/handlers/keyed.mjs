/** Gives the thread's number with what it got, after a random while; `slow` takes long. */
import { setTimeout as sleep } from 'node:timers/promises';

export default async function keyed([key, number], { thread }) {
  const long = String(key) === 'slow';
  if (long || Math.random() < 0.3) await sleep(long ? 1000 : Math.random() * 3);
  return [key, number, String(thread)];
}
