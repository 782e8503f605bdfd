/** Every program under examples/ runs to its end, in real processes, and says what it should. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { curveKeyPair, Pull, Push, writeCurveKeyFiles } from 'zeromq-threads';

import { findPythonPeer, plainEnvironment } from './peers/build.js';
import { endpoints, type LineProcess, runNode, startNode } from './peers/index.js';
import { LineProcess as Process } from './peers/line-process.js';

const EXAMPLES = new URL('../examples/', import.meta.url);
const TIMEOUT = 20_000;

/** The programs that some test started. */
const ran = new Set<string>();

function start(name: string, ...args: string[]): LineProcess {
  ran.add(name);
  return startNode(new URL(name, EXAMPLES), args, { step: `examples/${name}` });
}

/** Runs a program that needs no other one. */
async function run(name: string, ...args: string[]): Promise<string[]> {
  ran.add(name);
  const result = await runNode(new URL(name, EXAMPLES), args, { step: `examples/${name}`, timeout: TIMEOUT });
  expect(result, `examples/${name} printed:\n${result.stdout}`).toMatchObject({ code: 0, stderr: '' });
  return result.lines;
}

/** Waits until the program has ended, and well. */
async function endOf(program: LineProcess): Promise<string[]> {
  const { code } = await program.waitForExit('it ends by itself', TIMEOUT);
  expect({ code, stderr: program.stderr }, program.name).toEqual({ code: 0, stderr: '' });
  return program.lines;
}

function endpointOf(program: LineProcess): Promise<string> {
  return program.waitFor('it says where it listens', TIMEOUT, ({ lines }) =>
    lines.map((line) => / on (tcp:\S+)$/.exec(line)?.[1]).find((endpoint) => endpoint !== undefined),
  );
}

/** Of a program that has several: the one on the line that begins so. */
function endpointAfter(program: LineProcess, words: string): Promise<string> {
  return program.waitFor(`it says what ${words}`, TIMEOUT, ({ lines }) =>
    lines.find((line) => line.startsWith(`${words} `))?.slice(words.length + 1),
  );
}

describe('examples', () => {
  it('push-pull: all that is pushed is pulled', async () => {
    const pull = start('push-pull/pull.mjs', endpoints.tcp());
    const push = start('push-pull/push.mjs', await endpointOf(pull), '50000');
    expect(await endOf(push)).toEqual(['sent 50000 numbers']);
    expect((await endOf(pull)).at(-1)).toBe('50000 numbers, their sum is 1250025000');
  });

  it('push-pull: the sender may come first', async () => {
    const endpoint = await endpoints.unboundTcp();
    const push = start('push-pull/push.mjs', endpoint, '3000');
    const pull = start('push-pull/pull.mjs', endpoint);
    await endOf(push);
    expect((await endOf(pull)).at(-1)).toBe('3000 numbers, their sum is 4501500');
  });

  it('request-reply: the client gets its answers, and a signal ends the server', async () => {
    const server = start('request-reply/server.mjs', endpoints.tcp());
    const client = start('request-reply/client.mjs', await endpointOf(server));
    expect(await endOf(client)).toEqual(['6 * 7 = 42', '12 * 12 = 144', '0.5 * 3 = 1.5']);
    expect(await server.kill('SIGTERM')).toMatchObject({ code: 0 });
    expect(server.lines.at(-1)).toBe('answered 3 requests');
  });

  it('request-reply: a client without a server says so and ends', async () => {
    const client = start('request-reply/client.mjs', await endpoints.unboundTcp());
    const { code } = await client.waitForExit('it gives up', TIMEOUT);
    expect(code).toBe(1);
    expect(client.stderr.trim()).toBe('no answer within 2 s: is the server running?');
  });

  it('secure-request-reply: who has a key in the folder is answered, and nobody else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'zmq-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    mkdirSync(join(folder, 'clients'));
    const server = await writeCurveKeyFiles(join(folder, 'server'), curveKeyPair());
    const mallory = await writeCurveKeyFiles(join(folder, 'mallory'), curveKeyPair());
    const alice = await writeCurveKeyFiles(join(folder, 'clients', 'alice'), curveKeyPair(), {
      metadata: { name: 'Alice' },
    });
    const serving = start(
      'secure-request-reply/server.mjs',
      server.secretFile,
      join(folder, 'clients'),
      endpoints.tcp(),
    );
    const endpoint = await endpointOf(serving);
    const ask = (keyFile: string): Promise<string[]> =>
      endOf(start('secure-request-reply/client.mjs', keyFile, server.publicFile, endpoint));
    expect(await ask(alice.secretFile)).toEqual(['hello, world']);
    expect(await ask(mallory.secretFile)).toEqual(['refused: authentication failure']);
    rmSync(alice.publicFile);
    expect(await ask(alice.secretFile)).toEqual(['refused: authentication failure']);
    expect(await serving.kill('SIGTERM')).toMatchObject({ code: 0 });
    expect(serving.lines.slice(1)).toEqual([
      'Alice asks',
      'refused 127.0.0.1: Unknown key',
      'refused 127.0.0.1: Unknown key',
    ]);
  });

  it('publish-subscribe: the subscriber gets every round of its topic', async () => {
    const publisher = start('publish-subscribe/publisher.mjs', endpoints.tcp(), '5');
    const subscriber = start('publish-subscribe/subscriber.mjs', await endpointOf(publisher));
    expect(await endOf(subscriber)).toEqual(
      [14, 18, 22, 11, 15].map((c, n) => `Oslo, round ${n + 1}: ${c} °C`),
    );
    expect((await endOf(publisher)).at(-1)).toBe("somebody wants to know about 'Oslo'");
  });

  it('router-dealer: every job is done once, and every worker goes home', async () => {
    ran.add('router-dealer/worker.mjs');
    const lines = await run('router-dealer/boss.mjs', '3', '30');
    expect(lines[0]).toBe('the sum of 30 squares is 9455');
    const counts = lines.slice(1).map((line) => Number(/^worker-\d did (\d+) jobs$/.exec(line)?.[1]));
    expect(counts.reduce((sum, count) => sum + count)).toBe(30);
  });

  it('poller: serves what comes until it is told to stop', async () => {
    const lines = await run('poller.mjs');
    expect(lines).toEqual(['nothing to do yet', 'order: tea', 'order: coffee', 'order: cake', 'done']);
  });

  it('broker: requests reach the services, replies the clients', async () => {
    const broker = start('broker/broker.mjs', endpoints.tcp(), endpoints.tcp());
    const front = await endpointAfter(broker, 'clients ask on');
    const back = await endpointAfter(broker, 'services answer on');
    const services = [1, 2].map(() => start('broker/service.mjs', back));
    for (const service of services) {
      await service.waitFor('it is ready', TIMEOUT, ({ lines }) => lines.includes('ready') || undefined);
    }
    const client = start('request-reply/client.mjs', front);
    expect(await endOf(client)).toEqual(['6 * 7 = 42', '12 * 12 = 144', '0.5 * 3 = 1.5']);
    let answered = 0;
    for (const service of services) {
      expect(await service.kill('SIGTERM')).toMatchObject({ code: 0 });
      answered += Number(/^answered (\d) requests$/.exec(service.lines.at(-1) ?? '')?.[1]);
    }
    expect(answered).toBe(3);
    expect(await broker.kill('SIGTERM')).toMatchObject({ code: 0 });
    expect(broker.lines.at(-1)).toBe('3 requests, 3 replies');
  });

  it('forwarder: each reader gets what it subscribed to', async () => {
    const forwarder = start('forwarder/forwarder.mjs', endpoints.tcp(), endpoints.tcp());
    const front = await endpointAfter(forwarder, 'publishers connect to');
    const back = await endpointAfter(forwarder, 'subscribers connect to');
    const sensors = ['Oslo', 'Rome'].map((town) => start('forwarder/sensor.mjs', town, front));
    const readers = ['Oslo', 'Rome'].map(
      (town) => [town, start('forwarder/reader.mjs', town, '4', back)] as const,
    );
    for (const [town, reader] of readers) {
      const lines = await endOf(reader);
      expect(lines).toHaveLength(4);
      const first = Number(/reading (\d+)$/.exec(lines[0] ?? '')?.[1]);
      expect(lines).toEqual([0, 1, 2, 3].map((n) => `${town}: reading ${first + n}`));
    }
    for (const program of [...sensors, forwarder])
      expect(await program.kill('SIGTERM')).toMatchObject({ code: 0 });
    const counts = /^(\d+) messages down, (\d+) subscriptions up$/.exec(forwarder.lines.at(-1) ?? '');
    expect(Number(counts?.[1])).toBeGreaterThanOrEqual(8);
    expect(Number(counts?.[2])).toBeGreaterThanOrEqual(2);
  });

  it('streamer: all work reaches a sink, also when it was paused', async () => {
    const streamer = start('streamer/streamer.mjs', endpoints.tcp(), endpoints.tcp(), endpoints.tcp());
    const front = await endpointAfter(streamer, 'sources connect to');
    const back = await endpointAfter(streamer, 'sinks connect to');
    await endpointAfter(streamer, 'spectators subscribe at');
    const push = start('push-pull/push.mjs', front, '4999');
    const sink = start('streamer/sink.mjs', back);
    await sink.waitFor(
      'it has taken some',
      TIMEOUT,
      ({ lines }) => lines.includes('1000 taken') || undefined,
    );
    process.kill(streamer.pid, 'SIGUSR2');
    await streamer.waitFor('it pauses', TIMEOUT, ({ lines }) => lines.includes('paused') || undefined);
    process.kill(streamer.pid, 'SIGUSR2');
    await endOf(push);
    await sink.waitFor('it has taken all', TIMEOUT, ({ lines }) => lines.includes('5000 taken') || undefined);
    for (const program of [sink, streamer]) expect(await program.kill('SIGTERM')).toMatchObject({ code: 0 });
    expect(streamer.lines.slice(3)).toEqual(['paused', 'running', '5000 messages passed']);
  });

  it('scale-out: workers share the requests, and drain on a signal', async () => {
    ran.add('scale-out/handler.mjs');
    const broker = start('scale-out/broker.mjs', endpoints.tcp(), endpoints.tcp());
    const front = await endpointAfter(broker, 'clients connect to');
    const back = await endpointAfter(broker, 'workers connect to');
    const workers = ['one', 'two'].map((name) => start('scale-out/worker.mjs', back, name, '1'));
    for (const worker of workers) {
      await worker.waitFor('it is ready', TIMEOUT, ({ lines }) => lines.length > 0 || undefined);
    }
    const client = start('scale-out/client.mjs', front, '3000');
    const last = (await endOf(client)).at(-1);
    const expected =
      /^3000 asked, 3000 answered \((?:one|two): (\d+), (?:one|two): (\d+)\), 0 wrong, 0 reported/;
    const [, first, second] = expected.exec(last ?? '') ?? [];
    expect(Number(first) + Number(second), last).toBe(3000);
    for (const worker of workers) {
      expect(await worker.kill('SIGTERM')).toMatchObject({ code: 0 });
      expect(worker.lines.at(-1)).toMatch(/^(one|two): \d+ requests handled, 0 unfinished$/);
    }
    expect(await broker.kill('SIGTERM')).toMatchObject({ code: 0 });
    expect(broker.lines.at(-1)).toMatch(/^\d+ requests, \d+ replies$/);
  });

  it('scale-out: the manifest names what is there, and gives workers the time to drain', () => {
    const folder = new URL('scale-out/', EXAMPLES);
    const text = readFileSync(new URL('kubernetes.yaml', folder), 'utf8');
    const objects = parseAllDocuments(text).map((document) => {
      expect(document.errors).toEqual([]);
      return document.toJS();
    });
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names).toEqual(['Deployment zmq-broker', 'Service zmq-broker', 'Deployment zmq-worker']);
    const [broker, service, worker] = objects;
    for (const { spec } of [broker, worker]) {
      expect(spec.template.metadata.labels).toEqual(spec.selector.matchLabels);
      const [container] = spec.template.spec.containers;
      expect(readdirSync(folder)).toContain(container.command[1]);
      const ports = container.ports.map(({ name }: { name: string }) => name);
      for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'].map(
        (name) => container[name],
      )) {
        if (probe !== undefined) expect(ports).toContain((probe.tcpSocket ?? probe.httpGet).port);
      }
    }
    expect(service.spec.selector).toEqual(broker.spec.selector.matchLabels);
    const { containers, terminationGracePeriodSeconds } = worker.spec.template.spec;
    const backend = service.spec.ports.find(({ name }: { name: string }) => name === 'workers');
    expect(containers[0].command[2]).toBe(`tcp://${service.metadata.name}:${backend.port}`);
    const drain = /timeout: ([\d_]+) \}\)/.exec(readFileSync(new URL('worker.mjs', folder), 'utf8'))?.[1];
    const seconds = Number(drain?.replace('_', '')) / 1000;
    expect(terminationGracePeriodSeconds).toBeGreaterThan(seconds);
    const unit = readFileSync(new URL('zmq-worker@.service', folder), 'utf8');
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(seconds);
  });

  it('batches: every message is right', async () => {
    const lines = await run('batches.mjs', '200000');
    expect(lines).toEqual(['200000 messages, 0 of them wrong', 'many came at once']);
  });

  it.each([0, 1, 1 << 20, 5_000_001])('file-transfer: a file of %i bytes arrives', async (size) => {
    const folder = mkdtempSync(join(tmpdir(), 'zmq-file-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const content = randomBytes(size);
    writeFileSync(join(folder, 'in'), content);
    const receiver = start('file-transfer/receive.mjs', join(folder, 'out'), endpoints.tcp());
    const sender = start('file-transfer/send.mjs', join(folder, 'in'), await endpointOf(receiver));
    const sum = createHash('sha256').update(content).digest('hex');
    expect(await endOf(sender)).toEqual([`sent ${size} bytes, sha256 ${sum}`]);
    expect((await endOf(receiver)).at(-1)).toBe(`received ${size} bytes, sha256 ${sum}`);
    expect(readFileSync(join(folder, 'out')).equals(content)).toBe(true);
  });

  it('json-api: requests are answered, and failures, too', async () => {
    ran.add('json-api/handler.mjs');
    const server = start('json-api/server.mjs', endpoints.tcp());
    const client = start('json-api/client.mjs', await endpointOf(server));
    expect(await endOf(client)).toEqual([
      'list: apple, pear, plum',
      'total: 120',
      'total: RangeError: there is no brick',
      'fly: TypeError: there is no method fly',
    ]);
    process.kill(server.pid, 'SIGTERM');
    expect((await endOf(server)).slice(1)).toEqual([
      'handler: there is no brick',
      'handler: there is no method fly',
      '4 requests, 0 unfinished',
    ]);
  });

  it('hash-workers: files are hashed, by several threads', async () => {
    ran.add('hash-workers/hash.mjs');
    const server = start('hash-workers/server.mjs', endpoints.tcp(), '2');
    const folder = fileURLToPath(new URL('hash-workers/', EXAMPLES));
    const files = readdirSync(folder).map((name) => join(folder, name));
    expect(await run('hash-workers/client.mjs', await endpointOf(server), ...files)).toEqual(
      files.map((file) => `${createHash('sha256').update(readFileSync(file)).digest('hex')}  ${file}`),
    );
    process.kill(server.pid, 'SIGTERM');
    const counts = (await endOf(server))
      .slice(1)
      .map((line) => Number(/^thread \d: (\d) contents, /.exec(line)?.[1]));
    expect(counts[0]! + counts[1]!).toBe(files.length);
  });

  it('log-pipeline: all lines come out, in order', async () => {
    ran.add('log-pipeline/stages.mjs');
    expect(await run('log-pipeline/log-pipeline.mjs', '5000')).toEqual([
      '5000 records, in order',
      'stage 0: 5000 messages in 2 threads',
      'stage 1: 5000 messages in 2 threads',
    ]);
  });

  it('shared-socket: the threads answer everything, and end with the socket', async () => {
    ran.add('shared-socket/worker.mjs');
    const lines = await run('shared-socket/main.mjs', '2', '200');
    expect(lines[0]).toBe('200 answers, 0 of them wrong');
    const counts = lines.slice(1, -1).map((line) => Number(/^thread \d gave (\d+) of them$/.exec(line)?.[1]));
    expect(counts.reduce((sum, count) => sum + count)).toBe(200);
    expect(lines.at(-1)).toBe('all threads have ended');
  });

  it('graceful-shutdown: after a signal every job that was taken has its result', async () => {
    const results = new Pull();
    const program = start('graceful-shutdown.mjs', endpoints.tcp(), results.bind(endpoints.tcp()));
    const jobs = new Push({ linger: 0 });
    onTestFinished(() => {
      results.close();
      jobs.close();
    });
    jobs.connect(await endpointOf(program));
    for (let n = 0; n < 200; n++) await jobs.send(`job ${n}`);
    for (let n = 0; n < 10; n++) {
      expect(await results.recv('utf8', { timeout: TIMEOUT })).toBe(`job ${n} done`);
    }
    expect(await program.kill('SIGTERM')).toMatchObject({ code: 0 });
    expect(program.stderr).toBe('');
    const done = Number(/^(\d+) jobs done$/.exec(program.lines.at(-1) ?? '')?.[1]);
    expect(done).toBeGreaterThanOrEqual(10);
    for (let n = 10; n < done; n++) {
      expect(await results.recv('utf8', { timeout: TIMEOUT })).toBe(`job ${n} done`);
    }
    expect(results.tryRecv()).toBeUndefined();
  });
});

describe('the demo', () => {
  const ROW =
    /^ {2}(PUSH to PULL|ROUTER, 100 in flight|CPU-heavy requests) +[\d,]+ {3}(batches|for await|one loop|serve\(\)) +([\d,]+) +[\d.]+ +[\d.]+ ms {2}/;
  const PARTS = ['phases.mjs', 'payloads.mjs', 'display.mjs', 'peer.mjs', 'work.mjs'];

  afterEach(() => {
    for (const part of PARTS) ran.add(`demo/${part}`);
  });

  it('prints lines where there is no terminal, with figures for every phase, and ends well', async () => {
    const lines = await run('demo/demo.mjs', '--seconds', '3');
    const done = lines.filter((line) => line.endsWith('  done'));
    expect(done).toHaveLength(7);
    for (const line of done) {
      expect(line).toMatch(ROW);
      expect(Number(ROW.exec(line)?.[3]?.replaceAll(',', '')), line).toBeGreaterThan(0);
    }
    expect(lines.join('\n')).toMatch(/^[\d,]+ messages, all of them complete and in order\.$/m);
    expect(lines.join('\n')).toMatch(/^serve\(\) answered \d+\.\d times as many/m);
    expect(lines.join('')).not.toContain('\x1b');
  });

  it('draws its table in place on a terminal, and leaves the terminal as it was when interrupted', async () => {
    const demo = terminal(['--seconds', '3']);
    await demo.waitFor('it draws the table several times', TIMEOUT, ({ stdout }) => {
      const redrawn = stdout.split('▸').length - 1;
      return redrawn > 3 && stdout.includes('\x1b[10A') ? true : undefined;
    });
    demo.write('\x03'); // Ctrl-C
    const { code } = await demo.waitForExit('it ends after Ctrl-C', TIMEOUT);
    expect(code).toBe(130);
    expect(demo.stdout).toContain('interrupted');
    expect(demo.stdout.lastIndexOf('\x1b[?25h')).toBeGreaterThan(demo.stdout.lastIndexOf('\x1b[?25l'));
    expect(alive(Number(/Processes \d+ and (\d+)/.exec(demo.stdout)?.[1]))).toBe(false);
  });

  it('says so and fails when the other process dies', async () => {
    const demo = start('demo/demo.mjs', '--seconds', '20');
    const other = await demo.waitFor('it names its processes', TIMEOUT, ({ stdout }) => {
      const [, found] = /Processes \d+ and (\d+)/.exec(stdout) ?? [];
      return found === undefined ? undefined : Number(found);
    });
    process.kill(other, 'SIGKILL');
    const { code } = await demo.waitForExit('it ends without its peer', TIMEOUT);
    expect(code).toBe(1);
    expect(demo.stderr.trim()).toBe('The demo failed: the second process ended (SIGKILL)');
  });

  /** The demo on a terminal of its own: Python has pseudo-terminals, Node.js has not. */
  function terminal(args: string[]): LineProcess {
    ran.add('demo/demo.mjs');
    const script = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';
    const demo = new URL('demo/demo.mjs', EXAMPLES).pathname;
    const preload = `LD_PRELOAD=${process.env.LD_PRELOAD ?? ''}`; // a sanitizer, for the demo alone
    const command = ['env', preload, process.execPath, demo, ...args];
    return new Process(findPythonPeer().command, ['-c', script, ...command], {
      name: 'the demo on a terminal',
      env: { ...plainEnvironment(), TERM: 'xterm' },
    });
  }
});

it('no example is left out', () => {
  const programs = readdirSync(EXAMPLES, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.mjs'),
  );
  expect([...ran].sort()).toEqual(programs.sort());
});

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
