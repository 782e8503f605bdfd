/** The scheduling policy of the thread, as the kernel has it: 0 for SCHED_OTHER, 3 for SCHED_BATCH. */
import { readFileSync } from 'node:fs';

const FIELDS_BEFORE = 38; // of those after the name, which is in parentheses

export default function policy() {
  const stat = readFileSync('/proc/thread-self/stat', 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[FIELDS_BEFORE];
}
