/** Flags for how messages look as text. */
import type { Command } from 'commander';
import { choice, integer } from './arguments.js';
import { FORMATS, type Format } from './formats.js';
import { usageError } from './outcome.js';

export interface FormatFlags {
  format: Format;
  separator?: string;
}

/** What separates frames in lines that are printed, where nothing else was asked for. */
export const PRINTED_SEPARATOR = '\t';

export function addFormatFlags(command: Command, separates: string): Command {
  return command
    .addOption(choice('-f, --format <format>', 'how messages look', FORMATS).default('lines'))
    .option('--separator <text>', separates, unescaped);
}

export const largestCount = integer(1, 2 ** 30, 'a number of bytes');

export const FORMAT_NOTES = `
Formats:
  lines  a message is a line. --separator says what is between its frames.
  raw    a message is its bytes, with nothing around them.
  json   a message is a line of JSON: a string, or an array of strings for
         several frames. Bytes that are no UTF-8 are {"base64":"..."}. Any
         other JSON is sent as it is written.
  hex    a message is a line of hexadecimal digits with a space between
         frames; - is an empty frame.`;

/** With the escapes that a shell leaves alone: \t, \n, \0 and \\. */
function unescaped(text: string): string {
  const known: Readonly<Record<string, string>> = { t: '\t', n: '\n', 0: '\0', '\\': '\\' };
  const value = text.replaceAll(/\\(.)/g, (whole, letter: string) => known[letter] ?? whole);
  if (value === '') throw usageError('--separator: expected text, got none');
  return value;
}
