/** Medians of trials, and how to write figures down. */

export function summarize(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1) };
}

/** How many times better `ours` is than `theirs`. */
export function ratio(ours, theirs, better) {
  return better === 'higher' ? ours / theirs : theirs / ours;
}

/** Three digits that mean something: 5.21 M, 262 k, 131. */
export function formatFigure(value) {
  if (value >= 1e6) return `${digits(value / 1e6)} M`;
  if (value >= 1e4) return `${digits(value / 1e3)} k`;
  return digits(value);
}

function digits(value) {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
