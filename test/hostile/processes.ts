/** The two processes of each test of hostile peers: the server that is attacked, and the strangers. */
import { crc32 } from 'node:zlib';

import { expect } from 'vitest';
import { curveKeyPair, type SocketOptions, type SocketTypeName } from 'zeromq-threads';

import { type LineProcess, startNode } from '../peers/index.js';
import { type Connection, USER } from './attacks.js';
import type { Mechanism } from './zmtp.js';

export const HONEST_SIZE = 4321;
const HANDSHAKE_INTERVAL = 500;
export const PATIENCE = 60_000;

const KEYS = curveKeyPair();
const CLIENT_KEYS = curveKeyPair();

const SERVER_OPTIONS: Readonly<Record<Mechanism, SocketOptions>> = {
  NULL: {},
  PLAIN: { plainServer: true, zapDomain: 'test' },
  CURVE: { curveServer: true, curvePublicKey: KEYS.publicKey, curveSecretKey: KEYS.secretKey },
};
export const PEER_OPTIONS: Readonly<Record<Mechanism, Record<string, string>>> = {
  NULL: {},
  PLAIN: { PLAIN_USERNAME: USER.name, PLAIN_PASSWORD: USER.password },
  CURVE: {
    CURVE_SERVERKEY: KEYS.publicKey,
    CURVE_PUBLICKEY: CLIENT_KEYS.publicKey,
    CURVE_SECRETKEY: CLIENT_KEYS.secretKey,
  },
};

export const CLIENT_OPTIONS: Readonly<Record<Mechanism, SocketOptions>> = {
  NULL: {},
  PLAIN: { plainUsername: USER.name, plainPassword: USER.password },
  CURVE: {
    curveServerKey: KEYS.publicKey,
    curvePublicKey: CLIENT_KEYS.publicKey,
    curveSecretKey: CLIENT_KEYS.secretKey,
  },
};

export interface Report {
  readonly received: number;
  readonly checksum: number;
  readonly others: readonly string[];
  readonly events: Readonly<Record<string, number>>;
  readonly peers: Readonly<
    Record<'open' | 'accepted' | 'handshakes' | 'handshakesFailed' | 'disconnected', number>
  >;
  readonly handshakeFailures: Readonly<Record<string, number>>;
  readonly rss: number;
}

/** The server in its process. */
export class Attacked {
  readonly process: LineProcess;
  endpoint = '';
  #reports = 0;

  private constructor(process: LineProcess) {
    this.process = process;
  }

  static async start(
    type: SocketTypeName,
    mechanism: Mechanism,
    options: SocketOptions = {},
  ): Promise<Attacked> {
    const settings = {
      type,
      size: HONEST_SIZE,
      options: {
        ...SERVER_OPTIONS[mechanism],
        backlog: 1000,
        handshakeInterval: HANDSHAKE_INTERVAL,
        ...options,
      },
      ...(mechanism === 'PLAIN' && { passwords: { [USER.name]: USER.password } }),
    };
    const script = new URL('../workloads/attacked.mjs', import.meta.url);
    const server = new Attacked(startNode(script, [JSON.stringify(settings)], { step: `${type} server` }));
    server.endpoint = (await server.#line<{ endpoint: string }>('it is bound', 'endpoint')).endpoint;
    return server;
  }

  get port(): number {
    return Number(this.endpoint.split(':').at(-1));
  }

  order(word: 'publish' | 'quiet'): void {
    this.process.write(`${word}\n`);
  }

  async report(order: 'report' | 'reset' = 'report'): Promise<Report> {
    this.#reports += 1;
    this.process.write(`${order}\n`);
    return this.#line<Report>(`report ${this.#reports}`, 'report', this.#reports - 1);
  }

  /** Asks until what it reports is as wanted. */
  async reports(step: string, wanted: (report: Report) => boolean): Promise<Report> {
    let report: Report | undefined;
    await expect
      .poll(
        async () => {
          report = await this.report();
          return wanted(report);
        },
        {
          timeout: PATIENCE,
          interval: 20,
          message: step,
        },
      )
      .toBe(true);
    return report!;
  }

  /** Has it close everything; it must then end by itself, with nothing left over and nothing said. */
  async stop(): Promise<void> {
    this.process.write('stop\n');
    const { leftOver } = await this.#line<{ leftOver: string[] }>('it has closed everything', 'stopped');
    expect(leftOver, 'file descriptors left over').toEqual([]);
    this.process.endInput();
    const { code, signal } = await this.process.waitForExit('the server ends by itself', PATIENCE);
    expect({ code, signal, stderr: this.process.stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  }

  #line<Line>(step: string, key: string, index = 0): Promise<Line> {
    const lines = (): string[] => this.process.lines.filter((line) => line.startsWith(`{"${key}":`));
    return this.process.waitFor(step, PATIENCE, () => {
      const line = lines()[index];
      return line === undefined ? undefined : (JSON.parse(line) as Line);
    });
  }
}

/** The strangers' process. */
export class Strangers {
  readonly process = startNode(new URL('../peers/stranger.mjs', import.meta.url), [], { step: 'strangers' });
  #orders = 0;

  /** Has them make these connections. @returns how many of them the server ended, and what it had said to the first */
  async visit(
    step: string,
    port: number,
    connections: readonly Connection[],
  ): Promise<{ ended: number; received: string }> {
    const id = this.#send({
      port,
      connections: connections.map(({ steps, ending }) => ({
        steps: steps.map(({ bytes, after }) => ({ hex: bytes.toString('hex'), after })),
        ending,
      })),
    });
    return this.#answer(`the strangers are done with: ${step}`, id, 'ended');
  }

  /** Stands between a client and the server. @returns the port for the client, and when it is over */
  async relay(
    port: number,
    moments: readonly { at: number; cut: boolean }[],
  ): Promise<{ port: number; over: Promise<unknown> }> {
    const id = this.#send({ relay: port, moments });
    const answer = await this.#answer<{ port: number }>('the relay listens', id, 'port');
    return { port: answer.port, over: this.#answer('the relay is done', id, 'over') };
  }

  /** Ends the connections that were to hold. */
  release(): void {
    this.process.write('{"release":true}\n');
  }

  #send(order: object): number {
    this.#orders += 1;
    this.process.write(`${JSON.stringify({ id: this.#orders, ...order })}\n`);
    return this.#orders;
  }

  #answer<Answer>(step: string, id: number, key: string): Promise<Answer> {
    return this.process.waitFor(step, PATIENCE, ({ lines }) => {
      const line = lines.find((text) => text.startsWith(`{"id":${id},"${key}":`));
      return line === undefined ? undefined : (JSON.parse(line) as Answer);
    });
  }
}

/** As test/workloads/attacked.mjs tells of frames. */
export const digest = (frame: Buffer): string =>
  frame.length > 64 ? `${frame.length} bytes ${crc32(frame)}` : frame.toString('hex');
