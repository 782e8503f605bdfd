/** Messages of STREAM sockets have two frames: with one too many or too few, libzmq would lose what comes after. */
import { expect, test } from 'vitest';
import { ArgumentError, Stream } from 'zeromq-threads';

import { within } from './bounded.js';
import { ofTest } from './linked.js';
import { endpoints } from './peers/index.js';

async function connection(): Promise<{ server: Stream; client: Stream; id: Buffer }> {
  const server = ofTest(new Stream({ linger: 0 }));
  const client = ofTest(new Stream({ linger: 0 }));
  client.connect(server.bind(endpoints.tcp()));
  const [id] = await within('the client is told of its connection', client.receive());
  await within('the server is told of the connection', server.receive());
  return { server, client, id: id! };
}

/** What comes in until it is all here. */
async function stream(socket: Stream, length: number): Promise<string> {
  let text = '';
  while (text.length < length)
    text += String((await within(`${length} bytes, so far ${text}`, socket.receive()))[1]);
  return text;
}

test('too many frames, or too few, are refused, and nothing else is lost', async () => {
  const { server, client, id } = await connection();
  const expected = /data: expected a routing id and data, as STREAM sockets have them, got /;
  for (const data of [id, [id], [id, 'a', 'b'], 'x']) {
    await expect(client.send(data)).rejects.toThrow(expected);
    await expect(client.send(data)).rejects.toBeInstanceOf(ArgumentError);
    expect(() => client.trySend(data)).toThrow(expected);
    expect(() => client.sendSync(data)).toThrow(expected);
  }
  await expect(client.sendMultipart([id, 'a', 'b'])).rejects.toThrow(expected);
  await expect(client.send([id, 'a'], { more: true })).rejects.toThrow(/got 2 frames and more/);
  await client.send([id, 'hello']);
  expect(await stream(server, 5)).toBe('hello');
  await expect(client.send(['nobody', 'x'])).rejects.toMatchObject({ code: 'EHOSTUNREACH' });
});

test('a message may be sent frame by frame', async () => {
  const { server, client, id } = await connection();
  for (const part of ['one,', 'two']) {
    await client.send(id, { more: true });
    const next = /data: expected the data for the routing id before it, as STREAM sockets have them, got /;
    await expect(client.send([id, part])).rejects.toThrow(next);
    await expect(client.send(part, { more: true })).rejects.toThrow(next);
    await client.send(part);
  }
  await client.send([id, '.']);
  expect(await stream(server, 8)).toBe('one,two.');
  // What fails begins no message.
  await expect(client.send('nobody', { more: true })).rejects.toMatchObject({ code: 'EHOSTUNREACH' });
  await client.send([id, 'again']);
  expect(await stream(server, 5)).toBe('again');
});
