/** How the variants of a case are named, and how many messages they move. */

const LABELS = {
  c: 'C',
  'zeromq-threads': 'zeromq-threads',
  'zeromq-threads-worker': 'zeromq-threads in a Worker,',
  'zeromq-threads-prebuilt': 'zeromq-threads with the libzmq that it is published with,',
  'npm-zeromq': 'npm zeromq',
  'npm-zeromq-worker': 'npm zeromq in a Worker,',
  pyzmq: 'pyzmq',
};

/**
 * About how many messages C moves in half a second over tcp; in two seconds where they are small, or what is measured
 * would be how long V8 takes to compile.
 */
const COUNTS = [
  [64, 10_000_000],
  [256, 4_000_000],
  [1024, 800_000],
  [4096, 300_000],
  [16_384, 100_000],
  [65_536, 25_000],
  [2 ** 20, 1500],
  [2 ** 24, 90],
];

/** The sizes at which throughput is measured; those of a short run are marked. */
export const SIZES = [
  { size: 1 },
  { size: 16, short: true },
  { size: 256, short: true },
  { size: 4096, short: true },
  { size: 16_384 },
  { size: 65_536, short: true },
  { size: 2 ** 20, short: true },
  { size: 2 ** 24 },
];

export function countFor(size) {
  return COUNTS.find(([upTo]) => size <= upTo)[1];
}

/**
 * Names a variant after who plays the role that is measured: `{ library, role }`, with `what` as its label adds to the
 * library's. `count` is what C moves; `share` is the part of it that this one does, so that all take about as long.
 */
export function named({ library, role }, what, count, share = 1) {
  return {
    name: library.startsWith('zeromq-threads') || role !== what.base ? `${library}-${role}` : library,
    label: [LABELS[library], what.label].filter(Boolean).join(' '),
    library,
    count: Math.max(1, Math.round(count * share)),
  };
}

/** 16 B, 4 KiB, 1 MiB. */
export function formatSize(size) {
  if (size < 1024) return `${size} B`;
  return size < 2 ** 20 ? `${size / 1024} KiB` : `${size / 2 ** 20} MiB`;
}

/** npm zeromq takes a tenth of C's rate for small messages, and about the same rate for large ones. */
export function npmShare(size) {
  if (size <= 64) return 0.08;
  if (size <= 256) return 0.15;
  return size <= 16_384 ? 0.4 : 1;
}
