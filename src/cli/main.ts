#!/usr/bin/env node
/** The command line: `zeromq-threads --help`. Its commands load the addon when they need it, not before. */
import { type Command, CommanderError } from 'commander';

import { EXIT, outcomeOf } from './outcome.js';
import { createProgram } from './program.js';

const program = createProgram();
for (const command of [program, ...program.commands]) {
  command.exitOverride();
  command.configureOutput({ outputError: (text, write) => write(errorLine(command, text)) });
}

// A reader that wants no more of our help has had enough of it.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.brokenPipe);
});

try {
  if (process.argv.length <= 2) program.help({ error: true });
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Help goes to stderr, with an exit code, when it was not asked for.
    process.exitCode = error.exitCode === 0 ? EXIT.success : EXIT.usage;
  } else {
    const { exitCode, message } = outcomeOf(error);
    process.stderr.write(`zeromq-threads: ${message}\n`);
    process.exitCode = exitCode;
  }
}

/** commander says `error: ...`, and on a line of its own what was perhaps meant. */
function errorLine(command: Command, text: string): string {
  const name = command === program ? 'zeromq-threads' : `zeromq-threads ${command.name()}`;
  return `${name}: ${text
    .trim()
    .replace(/^error: /, '')
    .replaceAll(/\n+/g, ' ')}\n`;
}
