/** zeromq-threads doctor: is everything in order, and if not, what is to be done. Nothing in here loads the addon. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { Command } from 'commander';
import { DOCTOR_SELF_TEST } from '../entry-files.js';

import { ADDON_VARIABLE, type AddonFound, findAddon } from './addon-search.js';
import { addExamples } from './arguments.js';
import { addonAdvice, stepAdvice } from './doctor-advice.js';
import type { Finding } from './doctor-self-test.js';
import { CommandError, EXIT } from './outcome.js';
import { packageVersion } from './package-version.js';
import { Session } from './session.js';

interface Result extends Finding {
  readonly advice: readonly string[];
}

const LEAST_NODE = [20, 19] as const;
const LEAST_NODE_API = 8;
/** For the whole self-test, in milliseconds: it has limits of its own, and this is for one that hangs. */
const SELF_TEST_LIMIT = 40_000;
const ORIGINS = {
  variable: `named by ${ADDON_VARIABLE}`,
  prebuild: 'came with the package',
  build: 'compiled on this machine',
} as const;

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .summary('find out whether everything works here')
    .description(
      'Says what is installed, tries it out over inproc, tcp, ipc and with a Worker, and says what to do about what does\nnot work. The exit status is 1 if something does not.',
    )
    .option('--json', 'print JSON')
    .action((flags: { json?: true }) =>
      new Session('doctor').run((session) => doctor(session, flags.json === true)),
    );
  return addExamples(command, [
    { does: 'look, and try out', command: 'zeromq-threads doctor' },
    {
      does: 'with an addon of your own making',
      command: `${ADDON_VARIABLE}=/opt/zmq/zeromq_threads.node zeromq-threads doctor`,
    },
    {
      does: 'for a program to read',
      command: "zeromq-threads doctor --json | jq '.checks[] | select(.ok | not)'",
    },
  ]);
}

async function doctor(session: Session, json: boolean): Promise<void> {
  const results: Result[] = [];
  const add = async (finding: Finding, advice: readonly string[]): Promise<void> => {
    const result = { ...finding, advice: finding.ok ? [] : advice };
    results.push(result);
    if (!json) await session.write(linesOf(result));
  };
  for (const finding of environment()) {
    await add(finding, ['Node.js 20.19 or newer is needed: https://nodejs.org/']);
  }
  const found = findAddon();
  await add(addonFinding(found), addonAdvice(found, ''));
  if (found !== undefined) {
    for await (const finding of selfTest(session)) {
      await add(
        finding,
        finding.name === 'load' ? addonAdvice(found, finding.detail) : stepAdvice(finding.name),
      );
    }
  }
  if (session.interrupted) return;
  const bad = results.filter(({ ok }) => !ok);
  if (json) await session.write(`${JSON.stringify({ ok: bad.length === 0, checks: results }, null, 2)}\n`);
  if (bad.length > 0)
    throw new CommandError(`not in order: ${bad.map(({ name }) => name).join(', ')}`, EXIT.failure);
  if (!json) await session.write('everything is in order\n');
}

function environment(): Finding[] {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const { napi = '0' } = process.versions;
  const isNew = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  return [
    { name: 'package', ok: true, detail: `zeromq-threads ${packageVersion()}` },
    { name: 'node', ok: isNew, detail: `${process.version} ${process.platform}-${process.arch}` },
    { name: 'node-api', ok: Number(napi) >= LEAST_NODE_API, detail: napi },
  ];
}

function addonFinding(found: AddonFound | undefined): Finding {
  const name = 'addon';
  if (found !== undefined) return { name, ok: true, detail: `${ORIGINS[found.origin]}: ${found.path}` };
  const chosen = process.env[ADDON_VARIABLE];
  return {
    name,
    ok: false,
    detail: chosen ? `there is no file ${chosen}` : 'there is none for this platform',
  };
}

/** Runs the self-test in a process of its own, and tells what it prints; and how it ended, unless well. */
async function* selfTest(session: Session): AsyncGenerator<Finding, void, undefined> {
  const script = fileURLToPath(DOCTOR_SELF_TEST);
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = (): void => void child.kill('SIGKILL');
  session.signal.addEventListener('abort', stop);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    stop();
  }, SELF_TEST_LIMIT);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = new Promise<string | undefined>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(code === 0 ? undefined : `ended with ${signal ?? code}`));
  });
  let last = 'nothing';
  let rest = '';
  for await (const text of child.stdout.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const finding = JSON.parse(line) as Finding;
      last = finding.name;
      yield finding;
    }
  }
  const problem = await ended;
  clearTimeout(timer);
  if (problem === undefined || session.interrupted) return;
  const how = late ? `hung, and was ended after ${SELF_TEST_LIMIT / 1000} s` : problem;
  const detail = `the process that uses the addon ${how}; the last that it told of was ${last}`;
  const name = last === 'nothing' ? 'load' : 'self-test';
  yield { name, ok: false, detail: [detail, said.trim()].filter(Boolean).join('\n') };
}

function linesOf({ name, ok, detail, advice }: Result): string {
  const stream = process.stdout;
  const mark = ok ? styleText('green', 'ok  ', { stream }) : styleText('red', 'FAIL', { stream });
  const [first, ...more] = detail.split('\n');
  return [
    `${mark}  ${name.padEnd(10)}  ${first}`,
    ...more.map((line) => `      ${''.padEnd(10)}  ${line}`),
    ...advice.map((line) => `      ${''.padEnd(10)}  ${styleText('yellow', '->', { stream })} ${line}`),
    '',
  ].join('\n');
}
