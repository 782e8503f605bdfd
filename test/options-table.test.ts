import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { findContextOption, findSocketOption, optionId } from '../src/option-codec.js';
import { optionNames } from '../src/option-names.js';
import { CONTEXT_OPTION_ENTRIES, type OptionEntry, SOCKET_OPTION_ENTRIES } from '../src/option-table.js';
import { SOCKET_TYPE_ALIASES, SOCKET_TYPES } from '../src/socket-types.js';

interface Header {
  version: number;
  socketOptions: Map<string, number>;
  socketAliases: Map<string, string>;
  contextOptions: Map<string, number>;
  socketTypes: Map<string, number>;
}

/** The sections of zmq.h are told by the comments above them. */
function readHeader(): Header {
  const include = execFileSync('pkg-config', ['--variable=includedir', 'libzmq'], {
    encoding: 'utf8',
  }).trim();
  const header: Header = {
    version: 0,
    socketOptions: new Map(),
    socketAliases: new Map(),
    contextOptions: new Map(),
    socketTypes: new Map(),
  };
  const versions = new Map<string, number>();
  let section = '';
  for (const line of readFileSync(join(include, 'zmq.h'), 'utf8').split('\n')) {
    section = /^\/\* {2}([A-Za-z].*?)\.? *\*\/$/.exec(line)?.[1] ?? section;
    const [, name = '', value = ''] = /^#define (ZMQ_\w+) (\w+)$/.exec(line) ?? [];
    const number = Number(value);
    if (name.startsWith('ZMQ_VERSION_')) {
      versions.set(name, number);
    }
    if (name === '') {
      continue;
    }
    if (['Socket options', 'DRAFT Socket options', 'Deprecated options and aliases'].includes(section)) {
      if (Number.isInteger(number)) {
        header.socketOptions.set(name, number);
      } else if (value !== 'ZMQ_DONTWAIT') {
        header.socketAliases.set(name, value);
      }
    } else if (['Context options', 'DRAFT Context options'].includes(section)) {
      header.contextOptions.set(name, number);
    } else if (['Socket types', 'DRAFT Socket types'].includes(section)) {
      header.socketTypes.set(name, number);
    }
  }
  // Among the socket options, but one of contexts; contexts have this one as well.
  header.contextOptions.set('ZMQ_BLOCKY', header.socketOptions.get('ZMQ_BLOCKY')!);
  header.contextOptions.set('ZMQ_IPV6', header.socketOptions.get('ZMQ_IPV6')!);
  header.socketOptions.delete('ZMQ_BLOCKY');
  header.version = releaseNumber(
    ['MAJOR', 'MINOR', 'PATCH'].map((part) => versions.get(`ZMQ_VERSION_${part}`)).join('.'),
  );
  return header;
}

function releaseNumber(release: string): number {
  const [major = 0, minor = 0, patch = 0] = release.split('.').map(Number);
  return major * 10000 + minor * 100 + patch;
}

/** The entries that stand for one option of libzmq each. */
function single<Entry extends OptionEntry>(entries: readonly Entry[]): Entry[] {
  return entries.filter((entry) => entry.settings === undefined);
}

const header = readHeader();

describe('the option table and the installed zmq.h', () => {
  it('reads the header at all', () => {
    expect(header.version).toBeGreaterThanOrEqual(40304);
    expect(header.socketOptions.size).toBeGreaterThan(90);
    expect(header.contextOptions.size).toBeGreaterThan(11);
    expect(header.socketTypes.size).toBeGreaterThan(20);
  });

  it('agree on every socket option of the header and its number', () => {
    const table = new Map(single(SOCKET_OPTION_ENTRIES).map((entry) => [entry.zmq, entry.id]));
    for (const [name, id] of header.socketOptions) {
      expect(table.get(name), name).toBe(id);
    }
  });

  it('agree on every context option of the header and its number', () => {
    const table = new Map(single(CONTEXT_OPTION_ENTRIES).map((entry) => [entry.zmq, entry.id]));
    for (const [name, id] of header.contextOptions) {
      expect(table.get(name), name).toBe(id);
    }
  });

  it('have no option in the table that the header lacks, newer ones aside', () => {
    const older = (entry: OptionEntry) => releaseNumber(entry.since) <= header.version;
    for (const entry of single(SOCKET_OPTION_ENTRIES).filter(older)) {
      expect(header.socketOptions.get(entry.zmq), entry.zmq).toBe(entry.id);
    }
    for (const entry of single(CONTEXT_OPTION_ENTRIES).filter(older)) {
      expect(header.contextOptions.get(entry.zmq), entry.zmq).toBe(entry.id);
    }
  });

  it('agree on the old names of options', () => {
    for (const [alias, name] of header.socketAliases) {
      expect(findSocketOption(alias).zmq, alias).toBe(name);
    }
  });

  it('agree on the socket types and their numbers', () => {
    for (const [name, id] of header.socketTypes) {
      expect(SOCKET_TYPES, name).toHaveProperty([name.slice('ZMQ_'.length), 'id'], id);
    }
    expect(Object.keys(SOCKET_TYPES)).toHaveLength(header.socketTypes.size);
  });
});

describe('the option table', () => {
  it('has every option that npm zeromq 6 has, under its name', () => {
    const socket =
      'affinity rate recoveryInterval linger reconnectInterval backlog reconnectMaxInterval maxMessageSize ' +
      'lastEndpoint mandatory tcpKeepalive tcpKeepaliveCount tcpKeepaliveIdle tcpKeepaliveInterval ' +
      'tcpAcceptFilter immediate ipv6 securityMechanism plainServer plainUsername plainPassword curveServer ' +
      'curvePublicKey curveSecretKey curveServerKey probeRouter correlate relaxed conflate zapDomain handover ' +
      'typeOfService gssapiServer gssapiPrincipal gssapiServicePrincipal gssapiPlainText ' +
      'gssapiPrincipalNameType gssapiServicePrincipalNameType handshakeInterval socksProxy noDrop manual ' +
      'welcomeMessage notify invertMatching heartbeatInterval heartbeatTimeToLive heartbeatTimeout ' +
      'connectTimeout tcpMaxRetransmitTimeout threadSafe multicastMaxTransportDataUnit vmciBufferSize ' +
      'vmciBufferMinSize vmciBufferMaxSize vmciConnectTimeout interface zapEnforceDomain loopbackFastPath ' +
      'sendBufferSize sendHighWaterMark sendTimeout multicastHops receiveBufferSize receiveHighWaterMark ' +
      'receiveTimeout routingId verbosity type';
    for (const name of socket.split(' ')) {
      expect(findSocketOption(name).name).toBe(name);
    }
    const context =
      'ioThreads maxSockets maxSocketsLimit threadPriority threadSchedulingPolicy maxMessageSize ipv6 blocky';
    for (const name of context.split(' ')) {
      expect(findContextOption(name).name).toBe(name);
    }
  });

  it.each([
    ['socket', SOCKET_OPTION_ENTRIES],
    ['context', CONTEXT_OPTION_ENTRIES],
  ])('gives no two %s options the same name', (_kind, entries: readonly OptionEntry[]) => {
    const names = entries.flatMap(optionNames);
    expect(names).toHaveLength(new Set(names).size);
  });

  it('gives no two socket options the same number', () => {
    const ids = single(SOCKET_OPTION_ENTRIES).map((entry) => entry.id);
    expect(ids).toHaveLength(new Set(ids).size);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
  });

  it('gives send and receive options to the types that can send and receive', () => {
    const types = Object.entries(SOCKET_TYPES);
    const senders = types.filter(([, traits]) => traits.canSend).map(([name]) => name);
    const receivers = types.filter(([, traits]) => traits.canReceive).map(([name]) => name);
    for (const name of ['sendHighWaterMark', 'sendTimeout', 'sendBufferSize']) {
      expect(findSocketOption(name).sockets.toString().split(',').toSorted(), name).toEqual(
        senders.toSorted(),
      );
    }
    for (const name of ['receiveHighWaterMark', 'receiveTimeout', 'receiveBufferSize']) {
      expect(findSocketOption(name).sockets.toString().split(',').toSorted(), name).toEqual(
        receivers.toSorted(),
      );
    }
  });

  it('names real socket types only', () => {
    for (const entry of SOCKET_OPTION_ENTRIES) {
      for (const type of entry.sockets === 'all' ? [] : entry.sockets) {
        expect(SOCKET_TYPES, entry.name).toHaveProperty(type);
      }
    }
    for (const type of Object.values(SOCKET_TYPE_ALIASES)) {
      expect(SOCKET_TYPES).toHaveProperty(type);
    }
  });

  it('has choices with values and, where they set several options, a setting for each', () => {
    for (const entry of [...SOCKET_OPTION_ENTRIES, ...CONTEXT_OPTION_ENTRIES] as OptionEntry[]) {
      expect(entry.values !== undefined, entry.name).toBe(entry.type === 'choice');
      expect(entry.settings?.length ?? entry.values?.length, entry.name).toBe(entry.values?.length);
      for (const value of entry.settings === undefined ? [] : entry.values!) {
        expect(
          single(SOCKET_OPTION_ENTRIES).map(({ id }) => id),
          entry.name,
        ).toContain(optionId(entry, value));
      }
    }
  });

  it('is what docs/options.md was written from', () => {
    const script = fileURLToPath(new URL('../scripts/generate-option-docs.mjs', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
  });

  it('describes every option in the comment above it', () => {
    for (const [file, entries] of [
      ['socket', SOCKET_OPTION_ENTRIES.filter((entry) => entry.draft !== true)],
      ['draft', SOCKET_OPTION_ENTRIES.filter((entry) => entry.draft === true)],
      ['context', CONTEXT_OPTION_ENTRIES],
    ] as const) {
      const source = readFileSync(new URL(`../src/option-table-${file}.ts`, import.meta.url), 'utf8');
      for (const { name } of entries) {
        expect(source, name).toMatch(new RegExp(`[.\`]\\s*\\*/\\n {2}${name}: \\{`));
      }
    }
  });
});
