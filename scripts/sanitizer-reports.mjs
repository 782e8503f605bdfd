// Prints the sanitizer reports in a directory that concern the addon, for test-sanitized.sh.
//   sanitizer-reports.mjs DIRECTORY
// Exits 1 if there is one.
//
// node is not instrumented, so the thread sanitizer knows nothing of its atomics and takes much of what its
// threads do for races. A suppression cannot tell those from ours, since the addon is called by node and so
// every stack has node in it. Here a race counts if both of its accesses were made by the addon itself, or by a
// libc or libstdc++ function that the addon called. What orders an access of the addon and one of node or libzmq is
// a JavaScript Atomics call or a lock-free queue of libzmq's, neither of which the sanitizer sees: it would report
// every message. (Memory that is used after it was freed is the address sanitizer's part.)
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const directory = process.argv[2];
const addon = 'zeromq_threads.node';
const runtimes = /^(lib[at]san|libstdc\+\+|libc\.so|libc-|libpthread|ld-linux)/;

/** The module of every frame in a stack, outermost call last: `#1 name file:line (module+0x1f)`. */
function modules(lines) {
  return lines.flatMap((line) => /^\s+#\d+ .*\((?:.*\/)?([^/()]+)\+0x[0-9a-f]+\)/.exec(line)?.[1] ?? []);
}

function concernsAddon(report) {
  const isRace = /WARNING: ThreadSanitizer: (data race|heap-use-after-free|race on)/.test(report);
  if (!isRace) return !report.includes('WARNING: ThreadSanitizer') || report.includes(addon);
  return report
    .split(/\n\s*\n/)
    .map((section) => section.split('\n').filter((line) => !line.startsWith('WARNING')))
    .filter(([heading]) => /\b(read|write) of size|\bvptr/i.test(heading ?? ''))
    .every((stack) => modules(stack).find((module) => !runtimes.test(module)) === addon);
}

let count = 0;
let others = 0;
for (const file of readdirSync(directory).sort()) {
  const reports = readFileSync(path.join(directory, file), 'utf8')
    .split(/^==================+$/m)
    .map((text) => text.trim())
    .filter((text) => text !== '' && !/^ThreadSanitizer: reported \d+ warnings$/.test(text));
  for (const report of reports) {
    if (concernsAddon(report)) {
      count++;
      console.log(`${report}\n`);
    } else others++;
  }
}
if (others > 0)
  console.log(`[sanitize] ${others} reports on node itself left out; they are in ${directory}/`);
if (count > 0) console.log(`[sanitize] ${count} reports on the addon, above`);
process.exitCode = count > 0 ? 1 : 0;
