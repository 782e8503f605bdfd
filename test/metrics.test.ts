/** Metrics of servers and pipelines, as Prometheus scrapes them and as prom-client gives them out. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Registry } from 'prom-client';
import { expect, it, onTestFinished } from 'vitest';
import { ArgumentError, type MetricsOptions, pipeline, serve } from 'zeromq-threads';

import { within } from './bounded.js';
import { endsOf, startLine } from './lines.js';
import { runNode } from './peers/index.js';
import { clientOf, handlerOf, start } from './serving.js';

/** The samples of a scrape: `name{labels}` and the value. */
function samples(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

const scrape = async (url: string): Promise<Map<string, number>> => {
  const response = await within('the scrape', fetch(url));
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  return samples(await response.text());
};

it('a server answers scrapes over HTTP', async () => {
  const { server } = await start({ threads: 1, metrics: { port: 0 } });
  expect(server.metricsUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  const ask = clientOf(server.endpoint);
  for (let n = 0; n < 5; n += 1) await ask('echo', `${n}`);
  await ask('throw', 'of test');
  const found = await scrape(server.metricsUrl!);
  const of = (name: string, more = ''): number | undefined =>
    found.get(`zeromq_threads_${name}{name="serve",stage="0",thread="0"${more}}`);
  const stats = server.stats().threads[0]!;
  expect(of('handled_total')).toBe(6);
  expect(of('failed_total')).toBe(1);
  expect(of('sent_total')).toBe(6);
  for (const name of ['timed_out', 'dropped', 'deaths', 'retried', 'lost']) {
    expect(of(`${name}_total`), name).toBe(0);
  }
  expect([of('queued'), of('in_progress'), of('up')]).toEqual([0, 0, 1]);
  expect(of('service_seconds', ',quantile="0.5"')).toBeCloseTo(stats.service.p50 / 1e6, 9);
  expect(of('latency_seconds', ',quantile="0.999"')).toBeCloseTo(stats.latency.p999 / 1e6, 9);

  const other = await fetch(new URL('/', server.metricsUrl));
  expect(other.status).toBe(404);
  const { metricsUrl } = server;
  await server.close();
  await expect(fetch(metricsUrl!)).rejects.toThrow();
});

it('servers and pipelines share a registry, and leave it as they close', async () => {
  const register = new Registry();
  const { server } = await start({ threads: 1, metrics: { register, name: 'front' } });
  const { line } = await startLine({ threads: 1, metrics: { register } });
  expect(server.metricsUrl).toBe(undefined);
  await clientOf(server.endpoint)('echo', 'x');
  const { push, pull } = endsOf(line);
  await push.send('x');
  await within('the result', pull.recv());
  const handled = async (name: string): Promise<number | undefined> =>
    samples(await register.metrics()).get(
      `zeromq_threads_handled_total{name="${name}",stage="0",thread="0"}`,
    );
  await expect.poll(() => handled('pipeline')).toBe(1);
  expect(await handled('front')).toBe(1);
  await server.close();
  expect(await handled('front')).toBe(undefined);
  expect(await handled('pipeline')).toBe(1);
  await line.close();
  expect(register.getMetricsAsArray()).toEqual([]);
});

it('is there again in a registry that was cleared', async () => {
  const register = new Registry();
  const { server } = await start({ threads: 1, metrics: { register } });
  register.clear();
  const { server: second } = await start({ threads: 1, metrics: { register, name: 'second' } });
  const names = [...samples(await register.metrics()).keys()].filter((name) => name.includes('_up{'));
  expect(names).toHaveLength(2);
  await server.close();
  await second.close();
  expect(register.getMetricsAsArray()).toEqual([]);
});

it.each([
  [5, /metrics: expected an object, got number 5/],
  [{}, /metrics: expected 'port' or 'register', got neither/],
  [{ port: -1 }, /metrics\.port: expected an integer from 0 to 65535, got number -1/],
  [{ port: 0, host: 7 }, /metrics\.host: expected a string/],
  [{ register: {} }, /metrics\.register: expected a Registry of prom-client/],
  [{ port: 0, path: '/' }, /metrics: expected only port, .*, got 'path'/],
])('refuses %j', async (metrics, message) => {
  const options = { handler: handlerOf('echo.mjs'), metrics: metrics as MetricsOptions };
  for (const starting of [
    () => serve({ bind: 'inproc://refused', ...options }),
    () => pipeline({ source: { type: 'PULL', bind: 'inproc://refused' }, ...options }),
  ]) {
    const error = await starting().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ArgumentError);
    expect((error as Error).message).toMatch(message);
  }
});

it('fails as listen does, and leaves nothing behind', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as AddressInfo;
  const register = new Registry();
  const options = { handler: handlerOf('echo.mjs'), metrics: { port, register } };
  await expect(serve({ bind: 'inproc://taken', ...options })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await expect(
    pipeline({ source: { type: 'PULL', bind: 'inproc://taken' }, ...options }),
  ).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect(register.getMetricsAsArray()).toEqual([]);
});

it('says so where prom-client is not installed', async () => {
  const result = await runNode(
    `
    import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(\`
      export async function resolve(name, context, next) {
        if (name === 'prom-client') throw new Error('not installed');
        return next(name, context);
      }
    \`));
    const { serve } = await import('zeromq-threads');
    const handler = new URL('${handlerOf('echo.mjs').href}');
    await serve({ bind: 'inproc://x', handler, metrics: { port: 0 } }).catch((error) => console.log(error.message));
    `,
    [],
    { step: 'a server without prom-client' },
  );
  expect(result.lines).toEqual([
    'metrics: expected the package prom-client to be installed (npm install prom-client)',
  ]);
  expect(result.code).toBe(0);
});

it('does not keep the process', async () => {
  const result = await runNode(
    `
    import { serve } from 'zeromq-threads';
    const handler = new URL('${handlerOf('echo.mjs').href}');
    const server = await serve({ bind: 'tcp://127.0.0.1:*', handler, threads: 1, metrics: { port: 0 } });
    await (await fetch(server.metricsUrl)).text();
    await server.close();
    `,
    [],
    { step: 'a server with metrics that closes' },
  );
  expect(result).toMatchObject({ code: 0, stderr: '' });
});
