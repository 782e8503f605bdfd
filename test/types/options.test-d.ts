/** Checked by tsc, never run: the option properties and constructor options of sockets and contexts. */
import type {
  ContextOptionProperties,
  ContextOptions,
  SocketOptionProperties,
  SocketOptions,
} from '../../src/option-types.js';
import { Socket } from '../../src/socket.js';
import { Dealer, Publisher, Pull, Push, Router, XPublisher } from '../../src/sockets.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<_Expected, Actual extends _Expected>(_?: Actual): void {}

// Types of properties.
type All = SocketOptionProperties<'all'>;
is<true, Equal<All['linger'], number>>();
is<true, Equal<All['ipv6'], boolean>>();
is<true, Equal<All['affinity'], number | bigint>>();
is<true, Equal<All['zapDomain'], string | null>>();
is<true, Equal<All['routingId'], string | Uint8Array | null>>();
is<true, Equal<All['curvePublicKey'], string | null>>();
is<true, Equal<All['securityMechanism'], null | 'plain' | 'curve' | 'gssapi'>>();
is<true, Equal<All['gssapiPrincipalNameType'], 'hostBased' | 'userName' | 'krb5Principal'>>();
is<true, Equal<All['verbosity'], null | 'allSubs' | 'allSubsUnsubs'>>();

// What is a method or a member of the class is no option property.
is<false, 'subscribe' extends keyof All ? true : false>();
is<false, 'events' extends keyof All ? true : false>();
is<false, 'type' extends keyof All ? true : false>();
is<false, 'fd' extends keyof All ? true : false>();

// Each class has the options of its type, which can be read and set.
const pull = new Pull({ receiveHighWaterMark: 10, receiveTimeout: 100, linger: 0, conflate: true });
pull.receiveHighWaterMark = 5;
pull.zapDomain = null;
is<number, typeof pull.receiveTimeout>();
// @ts-expect-error
pull.sendHighWaterMark = 5;
// @ts-expect-error
pull.mandatory = true;
// @ts-expect-error
pull.receiveHighWaterMark = '5';
// @ts-expect-error
pull.ipv6 = 1;
// @ts-expect-error
pull.securityMechanism = 'curve';
// @ts-expect-error
pull.recieveTimeout = 5;

new Router({ mandatory: true, handover: true, routingId: Buffer.of(1, 0) });
new Dealer({ probeRouter: true, curveServerKey: new Uint8Array(32), maxMessageSize: 10n });
new XPublisher({ verbosity: 'allSubs', welcomeMessage: null, manual: true }).verbosity = null;
new Publisher({ noDrop: true, invertMatching: false });

// Constructor options: those of the type, those that can be set, and those of this package.
new Pull({ prefetch: 1024, dedicatedWorker: true });
new Pull({ plainUsername: null });
// @ts-expect-error
new Pull({ sendHighWaterMark: 5 });
// @ts-expect-error
new Pull({ subscribe: 'topic' });
// @ts-expect-error
new Push({ receiveTimeout: 5 });
// @ts-expect-error
new Dealer({ mandatory: true });
// @ts-expect-error
new Pull({ securityMechanism: null });
// @ts-expect-error
new Pull({ zapDomain: null });
// @ts-expect-error
new Pull({ context: {} });
// @ts-expect-error
new XPublisher({ verbosity: 'all' });

// The generic class takes the options of any type: which are right is known at run time only.
new Socket('ROUTER', { mandatory: true }).mandatory = false;
is<SocketOptions, { sendTimeout: number; mandatory: boolean; verbosity: null }>();

// Contexts.
is<true, Equal<ContextOptionProperties['ioThreads'], number>>();
is<true, Equal<ContextOptionProperties['blocky'], boolean>>();
const context: ContextOptions = { ioThreads: 2, maxSockets: 5000, ipv6: true, blocky: false, ioWorkers: 2 };
void context;
// @ts-expect-error
is<ContextOptions, { maxSocketsLimit: 5 }>();
function contextProperties(ctx: ContextOptionProperties): void {
  ctx.threadPriority = 5;
  // @ts-expect-error
  ctx.maxSocketsLimit = 5;
}
void contextProperties;
