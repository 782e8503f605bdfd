/** The command line, as a shell runs it: the real program, in processes of its own, with real peers. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { curvePublicKey } from 'zeromq-threads';

import { endOf, folder, PROGRAM, run, start, TIMEOUT } from './command-lines.js';
import { PACKAGE_ROOT } from './peers/build.js';
import { endpoints, startPeer } from './peers/index.js';

const COMMANDS = ['send', 'recv', 'monitor', 'proxy', 'keygen', 'perf', 'doctor'];

describe('help', () => {
  it('names every command, and says what statuses mean', async () => {
    const { code, stdout } = await run(['--help']);
    expect(code).toBe(0);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^ +${command} `, 'm'));
    expect(stdout).toContain('Exit status:');
  });

  it.each(COMMANDS)('%s --help has examples', async (command) => {
    const { code, stdout, stderr } = await run([command, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`zeromq-threads ${command}`);
    expect(stdout).toMatch(/Examples:|Usage:/);
  });

  it('prints the version', async () => {
    const { version } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8'));
    expect(await run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('bad command lines end with status 2 and say what is wrong', () => {
  it.each([
    [['fly'], /fly/],
    [['send', '--type', 'PULL', '-c', 'inproc://x'], /PULL/],
    [['send', 'x'], /--bind|--connect/],
    [['recv', '--count', 'many', '-b', 'tcp://127.0.0.1:*'], /many/],
    [['recv', '--format', 'xml', '-b', 'tcp://127.0.0.1:*'], /xml/],
    [['recv', '-b', 'tcp://127.0.0.1:*', '-o', 'noSuchOption=1'], /noSuchOption/],
    [['proxy'], /frontend/],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('    at ');
  });

  it('an endpoint that cannot be had ends with 1', async () => {
    const { code, stderr } = await run(['recv', '-b', 'tcp://192.0.2.1:1']);
    expect(code).toBe(1);
    expect(stderr).not.toContain('    at ');
  });
});

describe('send and recv', () => {
  it('lines from standard input arrive as lines', async () => {
    const endpoint = await endpoints.unboundTcp();
    const receiver = start(['recv', '-b', endpoint, '-n', '3']);
    expect(await run(['send', '-c', endpoint], 'one\ntwo\n\n')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await endOf(receiver)).toEqual({ code: 0, stdout: 'one\ntwo\n\n', stderr: '' });
  });

  it.each([
    ['json', '["a","b"]\n"ä"\n', '["a","b"]\n"ä"\n'],
    ['hex', '00ff - 0a\n', '00ff - 0a\n'],
  ])('as %s, several frames too', async (format, input, output) => {
    const endpoint = await endpoints.unboundTcp();
    const count = String(input.split('\n').length - 1);
    const receiver = start(['recv', '-b', endpoint, '-n', count, '-f', format]);
    expect((await run(['send', '-c', endpoint, '-f', format], input)).code).toBe(0);
    expect(await endOf(receiver)).toEqual({ code: 0, stdout: output, stderr: '' });
  });

  it.each(['c', 'python'] as const)('from and to a %s peer', async (language) => {
    const endpoint = await endpoints.unboundTcp();
    const receiver = start(['recv', '-b', endpoint, '-n', '20', '-f', 'hex']);
    const sender = await startPeer(language, 'send', { connect: endpoint, count: 20, size: 8 });
    const { code, stdout } = await endOf(receiver);
    expect(code).toBe(0);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => Buffer.from(line, 'hex').readUInt32LE(0)),
    ).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect((await sender.result()).sent).toBe(20);
    const peer = await startPeer(language, 'recv', { bind: endpoints.tcp(), count: 100, any: true });
    expect((await run(['send', '-c', peer.endpoint], 'x\n'.repeat(100))).code).toBe(0);
    expect((await peer.result()).received).toBe(100);
  });

  it('REQ prints the reply, REP answers', async () => {
    const endpoint = await endpoints.unboundTcp();
    const service = start(['recv', '-t', 'REP', '-b', endpoint, '-n', '2', '--exec', 'tr a-z A-Z']);
    expect(await run(['send', '-t', 'REQ', '-c', endpoint, 'hello', 'again'])).toEqual({
      code: 0,
      stdout: 'HELLO\nAGAIN\n',
      stderr: '',
    });
    expect((await endOf(service)).stdout).toBe('hello\nagain\n');
  });

  it('PUB waits for its subscriber, SUB picks a topic', async () => {
    const endpoint = await endpoints.unboundTcp();
    const reader = start(['recv', '-t', 'SUB', '-c', endpoint, '--topic', 'news', '-n', '1', '-f', 'json']);
    const args = ['send', '-t', 'PUB', '-b', endpoint, '--wait', '1', '--topic', 'news', 'today'];
    expect((await run(args)).code).toBe(0);
    expect(await endOf(reader)).toEqual({ code: 0, stdout: '["news","today"]\n', stderr: '' });
  });

  it('a receive that gets nothing in time ends with 124', async () => {
    const { code, stdout } = await run(['recv', '-b', 'tcp://127.0.0.1:*', '--timeout', '100']);
    expect({ code, stdout }).toEqual({ code: 124, stdout: '' });
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends it with %d, quietly', async (signal, status) => {
    const receiver = start(['recv', '-b', 'tcp://127.0.0.1:*', '--verbose']);
    await receiver.waitFor('it is bound', TIMEOUT, ({ stderr }) =>
      stderr.includes('tcp:') ? true : undefined,
    );
    process.kill(receiver.pid, signal);
    const { code, stderr } = await endOf(receiver);
    expect(code).toBe(status);
    expect(stderr).not.toContain('    at ');
  });

  it('whoever reads the output may go: a quiet end, and a status that says so', async () => {
    const endpoint = await endpoints.unboundTcp();
    const program = `"${process.execPath}" "${PROGRAM.pathname}"`;
    const script = `set -o pipefail; (yes | head -n 100000 | ${program} send -c ${endpoint} --linger 0 --timeout 5000 || true) &
      ${program} recv -b ${endpoint} | head -n 2; echo "status \${PIPESTATUS[0]}"; kill %1 2>/dev/null; wait`;
    const output = execFileSync('bash', ['-c', script], {
      encoding: 'utf8',
      timeout: TIMEOUT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(output).toBe('y\ny\nstatus 141\n');
  });
});

describe('monitor', () => {
  it('tells of a handshake, as JSON', async () => {
    const endpoint = await endpoints.unboundTcp();
    const watcher = start([
      'monitor',
      '-b',
      endpoint,
      '-t',
      'PULL',
      '--event',
      'handshake',
      '-n',
      '1',
      '--json',
    ]);
    const sender = start(['send', '-c', endpoint, 'x']);
    const { code, stdout } = await endOf(watcher);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ type: 'handshake' });
    await sender.kill();
  });

  it('says whether somebody is there, as the page and the help ask it about a recv', async () => {
    const page = readFileSync(join(PACKAGE_ROOT, 'docs/command-line.md'), 'utf8');
    const { stdout: help } = await run(['monitor', '--help']);
    const endpoint = await endpoints.unboundTcp();
    start(['recv', '--bind', endpoint]);
    for (const text of [page, help]) {
      const sample = /^ *# is there somebody to talk to.*\n *zeromq-threads (.+)$/m.exec(text)?.[1];
      const args = sample!.replace('tcp://127.0.0.1:5555', endpoint).replace('2000', '10000').split(' ');
      expect(await run(args)).toMatchObject({ code: 0, stdout: expect.stringContaining(' handshake ') });
    }
  });

  it('ends with 124 when nobody comes', async () => {
    const endpoint = await endpoints.unboundTcp();
    const { code } = await run(['monitor', endpoint, '--event', 'handshake', '-n', '1', '--timeout', '100']);
    expect(code).toBe(124);
  });
});

describe('proxy', () => {
  it('a streamer passes messages on, until it is told to end', async () => {
    const [front, back] = [await endpoints.unboundTcp(), await endpoints.unboundTcp()];
    const streamer = start([
      'proxy',
      'streamer',
      '--frontend',
      front,
      '--backend',
      back,
      '--stats',
      '--json',
    ]);
    const receiver = start(['recv', '-c', back, '-n', '2']);
    expect((await run(['send', '-c', front, 'a', 'b'])).code).toBe(0);
    expect((await endOf(receiver)).stdout).toBe('a\nb\n');
    process.kill(streamer.pid, 'SIGTERM');
    expect((await endOf(streamer)).code).toBe(143);
  });
});

describe('keygen', () => {
  it('prints a pair, also as JSON', async () => {
    const { code, stdout } = await run(['keygen', '--json']);
    expect(code).toBe(0);
    const { publicKey, secretKey } = JSON.parse(stdout);
    expect(curvePublicKey(secretKey)).toBe(publicKey);
  });

  it('writes files that only their owner can read, and replaces none', async () => {
    const path = join(folder(), 'server');
    expect((await run(['keygen', '--output', path, '--metadata', 'name=mine'])).code).toBe(0);
    expect(statSync(`${path}.key_secret`).mode & 0o777).toBe(0o600);
    expect(existsSync(`${path}.key`)).toBe(true);
    const before = readFileSync(`${path}.key_secret`, 'utf8');
    const again = await run(['keygen', '--output', path]);
    expect(again.code).not.toBe(0);
    expect(again.stderr).toContain('server.key');
    expect(readFileSync(`${path}.key_secret`, 'utf8')).toBe(before);
    // pyzmq reads them.
    const script = `import sys, zmq.auth; print([key.decode() for key in zmq.auth.load_certificate(sys.argv[1])])`;
    const keys = execFileSync('/usr/bin/python3', ['-c', script, `${path}.key_secret`], { encoding: 'utf8' });
    expect(keys).toMatch(/^\['.{40}', '.{40}'\]\n$/);
  });

  it('makes keys with which a CURVE connection comes about, and others do not', async () => {
    const path = join(folder(), 'server');
    await run(['keygen', '--output', path]);
    const endpoint = await endpoints.unboundTcp();
    const receiver = start([
      'recv',
      '-b',
      endpoint,
      '--curve-server',
      '--curve-keys',
      `${path}.key_secret`,
      '-n',
      '1',
    ]);
    const other = start(['send', '-c', endpoint, '--linger', '0', '--timeout', '300', 'in the clear']);
    await endOf(other);
    expect((await run(['send', '-c', endpoint, '--curve-server-key', `${path}.key`, 'secret'])).code).toBe(0);
    expect(await endOf(receiver)).toMatchObject({ code: 0, stdout: 'secret\n' });
  });
});

describe('perf', () => {
  it('measures both ways between two processes', async () => {
    const { code, stdout, stderr } = await run(['perf', '--seconds', '0.5', '--json']);
    expect(code, stderr).toBe(0);
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.length).toBeGreaterThanOrEqual(2);
  });
});

describe('doctor', () => {
  it('finds everything in order here', async () => {
    const { code, stdout, stderr } = await run(['doctor']);
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^everything is in order$/m);
    for (const check of ['addon', 'libzmq', 'inproc', 'tcp', 'worker'])
      expect(stdout).toMatch(new RegExp(`^ok +${check} `, 'm'));
  });

  it('says what is wrong with an addon that cannot be loaded, and what to do', async () => {
    const broken = join(folder(), 'broken.node');
    writeFileSync(broken, 'no addon');
    const { code, stdout, stderr } = await run(['doctor'], undefined, { ZEROMQ_THREADS_ADDON: broken });
    expect(code).toBe(1);
    expect(stdout + stderr).toContain('ZEROMQ_THREADS_ADDON');
    expect(stdout + stderr).not.toContain('    at ');
  });
});
