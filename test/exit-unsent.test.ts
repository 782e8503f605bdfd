/** What a process says of messages that it could not send before it ended. */
import { expect, it } from 'vitest';

import { endpoints, runNode } from './peers/index.js';

const WARNING = /^zeromq-threads: messages were still unsent 1000 ms after exit began and are lost/;

/** Sends one message to nobody. */
function program(endpoint: string, options: object, more = ''): string {
  return `
    import { Push } from 'zeromq-threads';
    const push = new Push(${JSON.stringify(options)});
    push.connect('${endpoint}');
    await push.send('a message');
    ${more}
  `;
}

async function stderrOf(source: string): Promise<string> {
  const { code, stderr } = await runNode(source, [], {
    step: 'a process with an unsent message',
    timeout: 10_000,
  });
  expect(code).toBe(0);
  return stderr;
}

it('warns when a socket that lingers for ever still has messages', async () => {
  expect(await stderrOf(program(await endpoints.unboundTcp(), {}))).toMatch(WARNING);
});

it('warns when such a socket was closed before', async () => {
  expect(await stderrOf(program(await endpoints.unboundTcp(), {}, 'push.close();'))).toMatch(WARNING);
});

it('says nothing when a finite linger is over, as was asked for', async () => {
  expect(await stderrOf(program(await endpoints.unboundTcp(), { linger: 50 }))).toBe('');
  expect(await stderrOf(program(await endpoints.unboundTcp(), { linger: 1300 }))).toBe('');
});

it('says nothing when everything is sent', async () => {
  const source = `
    import { Pull, Push } from 'zeromq-threads';
    const [push, pull] = [new Push(), new Pull()];
    push.connect(pull.bind('tcp://127.0.0.1:*'));
    for (let n = 0; n < 500; n++) await push.send('a message');
    for (let n = 0; n < 500; n++) await pull.recv();
  `;
  expect(await stderrOf(source)).toBe('');
});
