/**
 * ZPL (ZeroMQ RFC 4), the format of CURVE key files: `name = value` lines, sections that are indented below their name,
 * and comments after `#`.
 */

const LINE =
  /^(?<indent>[ \t]*)(?<name>[\w$@.&+/-]+)[ \t]*(?<value>=[ \t]*(?:"(?<double>[^"]*)"|'(?<single>[^']*)'|(?<bare>[^#"'\s][^#]*)?)[ \t]*)?(?:#.*)?$/;

/** The names that ZPL has. */
export const ZPL_NAME = /^[\w$@.&+/-]+$/;

/**
 * All values, each by the names of its sections and its own, as `'curve public-key'`. A line that is not ZPL is left
 * out, as czmq and pyzmq do.
 */
export function parseZpl(text: string): Map<string, string> {
  const values = new Map<string, string>();
  const sections: { depth: number; path: string }[] = [];
  for (const line of text.split(/\r?\n/)) {
    const { indent = '', name, value, double, single, bare } = LINE.exec(line)?.groups ?? {};
    if (name === undefined) continue;
    while (sections.length > 0 && sections.at(-1)!.depth >= indent.length) sections.pop();
    const path = `${sections.at(-1)?.path ?? ''}${name}`;
    sections.push({ depth: indent.length, path: `${path} ` });
    if (value !== undefined) values.set(path, double ?? single ?? bare?.trimEnd() ?? '');
  }
  return values;
}

/** A value in the quotes that it does not contain; undefined if it can't be written: ZPL has no escapes. */
export function quoteZpl(value: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what cannot be written
  if (/[\u0000-\u001f\u007f]/.test(value)) return undefined;
  const quote = ['"', "'"].find((mark) => !value.includes(mark));
  return quote === undefined ? undefined : `${quote}${value}${quote}`;
}
