/** `zeromq-threads send` when who it connects to refuses it. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';

import { endOf, run, start, TIMEOUT } from './command-lines.js';
import { endpoints } from './peers/index.js';

describe('send tells when it is refused', () => {
  const SERVER = ['--plain-server', '--plain-username', 'user', '--plain-password', 'right'];
  const CLIENT = ['--plain-username', 'user', '--plain-password'];

  it.each([
    ['PUSH', 'a wrong password', ['PULL', ...SERVER], [...CLIENT, 'wrong'], 'authentication failure'],
    ['REQ', 'a wrong password', ['REP', ...SERVER], [...CLIENT, 'wrong'], 'authentication failure'],
    ['PUSH', 'a type that does not fit', ['REP'], [], 'perhaps it does not fit PUSH'],
  ])('%s with %s', async (type, _, server, client, reason) => {
    const endpoint = await endpoints.unboundTcp();
    start(['recv', '-b', endpoint, '-t', ...server]);
    await isRefused(endpoint, [type, ...client], reason);
  });

  it('PUSH with no password', async () => {
    // libzmq as the server closes the connection at once, and may be seen to do that before it is seen to want PLAIN.
    const greeting = Buffer.alloc(64);
    greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]);
    greeting.write('PLAIN', 12);
    greeting[32] = 1;
    const server = createServer((connection) => {
      connection.on('error', () => {}).write(greeting);
      connection.resume();
    });
    onTestFinished(() => void server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    await isRefused(`tcp://127.0.0.1:${port}`, ['PUSH'], 'ZMTP_MECHANISM_MISMATCH');
  });

  async function isRefused(endpoint: string, flags: readonly string[], reason: string): Promise<void> {
    const told = `zeromq-threads send: the handshake with ${endpoint} failed: ${reason}; what has not left is lost\n`;
    expect(await run(['send', '-c', endpoint, '-t', ...flags, 'hello'])).toEqual({
      code: 1,
      stdout: '',
      stderr: told,
    });
    // However long its input goes on.
    const going = start(['send', '-c', endpoint, '-t', ...flags]);
    going.write('hello\n');
    expect(await endOf(going)).toEqual({ code: 1, stdout: '', stderr: told });
  }

  it('not when it refuses somebody itself', async () => {
    const endpoint = await endpoints.unboundTcp();
    const sender = start(['send', '-b', endpoint, ...SERVER, 'hello']);
    const stranger = start(['recv', '-c', endpoint, ...CLIENT, 'wrong', '-n', '1']);
    await sender.waitFor('it refuses one', TIMEOUT, ({ stderr }) =>
      stderr.includes('refused 127.0.0.1') ? true : undefined,
    );
    expect((await run(['recv', '-c', endpoint, ...CLIENT, 'right', '-n', '1'])).stdout).toBe('hello\n');
    expect((await endOf(sender)).code).toBe(0);
    await stranger.kill();
  });

  it('not when who has taken its messages is gone before it ends', async () => {
    const endpoint = await endpoints.unboundTcp();
    const sender = start(['send', '-c', endpoint]);
    sender.write('hello\n');
    expect((await run(['recv', '-b', endpoint, '-n', '1'])).stdout).toBe('hello\n');
    sender.endInput();
    expect(await endOf(sender)).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it.each([
    ['--timeout', 124, 'zeromq-threads send: --timeout is over with messages unsent, which are lost\n'],
    ['--linger', 0, ''],
  ])('not when nobody is there: %s is for that', async (limit, code, stderr) => {
    const endpoint = await endpoints.unboundTcp();
    expect(await run(['send', '-c', endpoint, limit, '100', 'hello'])).toEqual({ code, stdout: '', stderr });
  });
});
