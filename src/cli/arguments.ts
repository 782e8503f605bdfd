/** Values on the command line, checked as they are read. */
import { type Command, InvalidArgumentError, Option } from 'commander';

/** As in the option's own flags: the name of a command, a line on what it is for, and how it is used. */
export interface Example {
  readonly does: string;
  readonly command: string;
}

/** Adds examples below a command's help. */
export function addExamples(command: Command, examples: readonly Example[]): Command {
  const text = examples.map(({ does, command: line }) => `  # ${does}\n  ${line}`).join('\n\n');
  return command.addHelpText('after', `\nExamples:\n${text}`);
}

/** Adds paragraphs below a command's options. */
export function addNotes(command: Command, notes: string): Command {
  return command.addHelpText('after', `\n${notes.trim()}`);
}

/** An integer in a range. */
export function integer(least: number, greatest: number, what: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text) || value < least || value > greatest) {
      const range = greatest === Number.MAX_SAFE_INTEGER ? `from ${least} up` : `${least} to ${greatest}`;
      throw new InvalidArgumentError(`Expected ${what}, ${range}.`);
    }
    return value;
  };
}

export const count = integer(1, Number.MAX_SAFE_INTEGER, 'a number of messages');
export const milliseconds = integer(-1, 2 ** 31 - 1, 'milliseconds (-1: no limit)');

/** Seconds, which may have a fraction. */
export function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value <= 86_400)) {
    throw new InvalidArgumentError('Expected a number of seconds above 0, a day at most.');
  }
  return value;
}

/** For options that can be given several times. */
export function listed(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** An option whose value is one of a few. */
export function choice(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values);
}
