// The stages of log-pipeline.mjs. Each runs in threads of its own.

/** A line becomes a record, as JSON; lines that are none are dropped. */
export function parse([line]) {
  const [, time, level, text] = /^(\S+) (\w+) (.*)$/.exec(line.toString()) ?? [];
  if (text !== undefined) return JSON.stringify({ time, level, text });
}

/** Addresses are nobody's business. */
export async function redact([record]) {
  const { text, ...rest } = JSON.parse(record);
  return JSON.stringify({ ...rest, text: text.replaceAll(/\b[\w.]+@[\w.]+\b/g, '<address>') });
}
