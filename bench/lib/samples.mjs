/** Sorts the samples of a profile by who ran: kernel, libzmq, the addon, JavaScript, ... */
import { execFileSync } from 'node:child_process';

/** In this order the first that fits counts. `[name, what it is, (symbol, module) => boolean]`. */
export const PARTS = [
  ['kernel', 'system calls, TCP, waking and sleeping', (_, module) => module.startsWith('[kernel')],
  [
    'libzmq',
    'its I/O thread and the calls into it',
    (symbol, module) => module.includes('libzmq') || symbol.startsWith('zmq::') || symbol.startsWith('zmq_'),
  ],
  ['addon', 'C++ of the binding itself', (_, module) => module.endsWith('.node')],
  [
    'GC',
    'the garbage collector, in all threads',
    (symbol) =>
      /Scaveng|MarkCompact|Marking|Sweep|Heap::|Evacuat|Ephemeron|GlobalHandles|GarbageCollect|Pretenur|Concurrent|IncrementalMark|LocalHeap|Allocation|Barrier/.test(
        symbol,
      ),
  ],
  [
    'JavaScript',
    'compiled functions, and built-in ones',
    (symbol) =>
      /^(JS|Script|RegExp|Function|LazyCompile|Eval|Handler|BytecodeHandler):|^Builtins_/.test(symbol),
  ],
  ['V8', 'the engine’s runtime and compilers', (symbol) => symbol.startsWith('v8::internal::')],
  [
    'boundary',
    'Node-API, Node.js and libuv between JavaScript and C++',
    (symbol) => /^(napi_|v8impl|v8::|node::|uv_|uv__)/.test(symbol),
  ],
  [
    'libc',
    'copying, allocation, locks',
    (_, module) => /^(libc|libpthread|ld-linux|libstdc)|\[vdso\]/.test(module),
  ],
  ['other', 'what could not be told', () => true],
];

/** @returns the part of all samples that each of {@link PARTS} has, by name */
export function sortSamples(lines) {
  const counts = Object.fromEntries(PARTS.map(([name]) => [name, 0]));
  let all = 0;
  for (const line of lines) {
    const match = /^\s*[0-9a-f]+\s+(.*?)\s+\(([^()]*(?:\([^()]*\))?)\)\s*$/.exec(line);
    if (match === null) continue;
    const [, symbol, path] = match;
    const module = path.slice(path.lastIndexOf('/') + 1);
    const [name] = PARTS.find(([, , fits]) => fits(symbol, module));
    counts[name] += 1;
    all += 1;
  }
  if (all === 0) throw new Error('the profile has no samples');
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count / all]));
}

/** Where the CPU time of a file that perf recorded went. */
export function readProfile(file) {
  const text = execFileSync('perf', ['script', '-i', file, '-F', 'ip,sym,dso'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return sortSamples(text.split('\n'));
}
