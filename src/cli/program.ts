/** The program and its commands. */
import { Command } from 'commander';

import { addExamples } from './arguments.js';
import { doctorCommand } from './doctor-command.js';
import { keygenCommand } from './keygen-command.js';
import { monitorCommand } from './monitor-command.js';
import { packageVersion } from './package-version.js';
import { perfCommand } from './perf-command.js';
import { proxyCommand } from './proxy-command.js';
import { recvCommand } from './recv-command.js';
import { sendCommand } from './send-command.js';

const NOTES = `
Exit status:
  0    done
  1    something failed; stderr says what
  2    the command line, or what was given to the command, is wrong
  124  --timeout is over
  129, 130, 143  ended by SIGHUP, SIGINT, SIGTERM
  141  whoever read the output has gone`;

export function createProgram(): Command {
  const program = new Command('zeromq-threads')
    .description('ZeroMQ from the command line: send, receive, watch, pass on, measure.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .addHelpText('after', NOTES);
  for (const command of [
    sendCommand(),
    recvCommand(),
    monitorCommand(),
    proxyCommand(),
    keygenCommand(),
    perfCommand(),
    doctorCommand(),
  ]) {
    command.copyInheritedSettings(program).helpOption('-h, --help', 'print help');
    program.addCommand(command);
  }
  return addExamples(program, [
    {
      does: 'one terminal prints what the other sends',
      command: 'zeromq-threads recv --bind tcp://127.0.0.1:5555',
    },
    { does: '... this one', command: 'zeromq-threads send --connect tcp://127.0.0.1:5555 hello' },
    { does: 'is everything in order here?', command: 'zeromq-threads doctor' },
    { does: 'what a command can do, with examples', command: 'zeromq-threads help send' },
  ]);
}
