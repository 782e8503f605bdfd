/**
 * Decides about requests, in the Authenticator's thread: what was configured for a domain holds for it, and what was
 * configured for `'*'` where there is nothing of its own. Address rules of `'*'` hold for all domains.
 */
import { z85Encode } from '../z85.js';
import { AddressRules } from './address-rules.js';
import { CertificateFolder } from './certificate-folder.js';
import { PasswordFile, Passwords } from './passwords.js';
import type { CurveSource, PlainSource, Question, ToThread } from './thread-messages.js';
import { textOf, type ZapReply, type ZapRequest } from './zap-message.js';

/** What is configured for all domains that have nothing of their own. */
export const EVERY_DOMAIN = '*';
/** Who comes without credentials, as in pyzmq. */
const ANONYMOUS = 'anonymous';
const KEY_BYTES = 32;

type PlainRule = Passwords | PasswordFile | 'ask';
type CurveRule = ReadonlySet<string> | CertificateFolder | 'any' | 'ask';

/** A reply, or what the application has to be asked. */
export type Decision = { readonly reply: ZapReply } | { readonly question: Question };

/** Files that are needed to decide cannot be read. */
export class UnreadableError extends Error {}

export class Policy {
  readonly #addresses = new Map<string, AddressRules>();
  readonly #plain = new Map<string, PlainRule>();
  readonly #curve = new Map<string, CurveRule>();

  configure(message: Extract<ToThread, { domain: string }>): void {
    const { domain } = message;
    if (message.type === 'plain') {
      this.#plain.set(domain, plainRule(message.source));
    } else if (message.type === 'curve') {
      this.#curve.set(domain, curveRule(message.source));
    } else {
      const rules = this.#addresses.get(domain) ?? new AddressRules();
      this.#addresses.set(domain, rules);
      rules[message.list](message.entries);
    }
  }

  /**
   * @param turn requests of one turn were all there before its first decision; files are looked at once in each
   * @throws {@link UnreadableError}
   */
  decide(request: ZapRequest, turn: number): Decision {
    const { domain, address, mechanism } = request;
    for (const name of new Set([EVERY_DOMAIN, domain])) {
      const obstacle = this.#addresses.get(name)?.obstacle(address);
      if (obstacle !== undefined) return refused(obstacle);
    }
    switch (mechanism) {
      case 'NULL':
        return accepted(ANONYMOUS);
      case 'PLAIN':
        return this.#decidePlain(request, turn);
      case 'CURVE':
        return this.#decideCurve(request, turn);
      default:
        return refused(`Mechanism ${mechanism === 'GSSAPI' ? mechanism : ''} is not supported`);
    }
  }

  #decidePlain(request: ZapRequest, turn: number): Decision {
    const [username, password, ...more] = request.credentials;
    if (username === undefined || password === undefined || more.length > 0) {
      return refused('Invalid credentials');
    }
    const name = textOf(username);
    const [configured, rule] = ruleFor(this.#plain, request.domain);
    if (rule === undefined) return refused('No users for this domain');
    if (rule === 'ask') {
      const login = { mechanism: 'PLAIN', username: name, password: textOf(password) } as const;
      return { question: { ...asked(configured, request), ...login } };
    }
    const passwords = rule instanceof PasswordFile ? readable(rule.path, () => rule.read(turn)) : rule;
    return passwords.accepts(name, password) ? accepted(name) : refused('Invalid username or password');
  }

  #decideCurve(request: ZapRequest, turn: number): Decision {
    const [key, ...more] = request.credentials;
    if (key?.length !== KEY_BYTES || more.length > 0) return refused('Invalid credentials');
    const publicKey = z85Encode(key);
    const [configured, rule] = ruleFor(this.#curve, request.domain);
    if (rule === undefined) return refused('No keys for this domain');
    if (rule === 'any') return accepted(publicKey);
    if (rule === 'ask') {
      return { question: { ...asked(configured, request), mechanism: 'CURVE', publicKey } };
    }
    if (rule instanceof CertificateFolder) {
      const metadata = readable(rule.path, () => rule.find(publicKey, turn));
      return metadata === undefined ? refused('Unknown key') : accepted(publicKey, metadata);
    }
    return rule.has(publicKey) ? accepted(publicKey) : refused('Unknown key');
  }
}

function ruleFor<Rule>(rules: ReadonlyMap<string, Rule>, domain: string): [string, Rule | undefined] {
  const configured = rules.has(domain) ? domain : EVERY_DOMAIN;
  return [configured, rules.get(configured)];
}

function asked(
  configured: string,
  { domain, address, routingId }: ZapRequest,
): Pick<Question, 'configured' | 'domain' | 'address' | 'routingId'> {
  // A copy of its own: the request's memory is used again.
  return { configured, domain, address, routingId: Uint8Array.from(routingId) };
}

function readable<Value>(path: string, read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    throw new UnreadableError(`Cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}

function accepted(userId: string, metadata?: Readonly<Record<string, string>>): Decision {
  return { reply: { status: 200, text: 'OK', userId, metadata } };
}

function refused(text: string): Decision {
  return { reply: { status: 400, text } };
}

function plainRule(source: PlainSource): PlainRule {
  if (source.kind === 'file') return new PasswordFile(source.path);
  return source.kind === 'passwords' ? new Passwords(source.entries) : source.kind;
}

function curveRule(source: CurveSource): CurveRule {
  if (source.kind === 'folder') return new CertificateFolder(source.path);
  return source.kind === 'keys' ? new Set(source.keys) : source.kind;
}
