/** Checked by tsc, never run: what receiving gives, by what it is asked for. */
import {
  type Batch,
  type DecodeAs,
  type Handle,
  type Message,
  Pull,
  Push,
  type Router,
  Socket,
  type SocketEvent,
} from '../../src/index.js';

function is<_Expected, Actual extends _Expected>(_?: Actual): void {}
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

async function decoded(pull: Pull): Promise<void> {
  same<Message, Awaited<ReturnType<typeof none>>>(true);
  const none = () => pull.recv();
  const text = await pull.recv('utf8');
  same<string, typeof text>(true);
  const number = await pull.recv('f64');
  same<number, typeof number>(true);
  const big = await pull.recv('i64', { timeout: 5 });
  same<bigint, typeof big>(true);
  const flag = await pull.recv('bool');
  same<boolean, typeof flag>(true);
  const json = await pull.recv('json');
  same<unknown, typeof json>(true);
  const bytes = await pull.recv('buffer');
  is<Buffer, typeof bytes>();
  const array = await pull.recv(Float64Array);
  is<Float64Array, typeof array>();
  const viaString = await pull.recv(String);
  same<string, typeof viaString>(true);
  const viaBuffer = await pull.recv(Buffer);
  is<Buffer, typeof viaBuffer>();
  const length = await pull.recv((message) => message.length);
  same<number, typeof length>(true);
  const later = await pull.recv(async (message) => message.toString());
  same<string, typeof later>(true);
  same<string, ReturnType<typeof sync>>(true);
  const sync = () => pull.recvSync('utf8');
  const frames = await pull.recvMultipart();
  same<Message[], typeof frames>(true);
  const maybe = pull.tryRecv();
  same<Message | undefined, typeof maybe>(true);
  // @ts-expect-error
  await pull.recv('float64');
  // @ts-expect-error
  await pull.recv(5);
  // @ts-expect-error
  await pull.recv({ timeout: 'soon' });
  // @ts-expect-error
  await pull.recv({ timeOut: 5 });
}
void decoded;

const formats: DecodeAs[] = ['utf8', Uint8Array, (message) => message];
void formats;

async function loops(pull: Pull): Promise<void> {
  for await (const frames of pull) same<Message[], typeof frames>(true);
  for await (const batch of pull.batches({ max: 5 })) same<Batch, typeof batch>(true);
  for await (const event of pull.events) {
    same<SocketEvent, typeof event>(true);
    if (event.type === 'connect:retry') is<number, typeof event.interval>();
    // @ts-expect-error
    if (event.type === 'connect') void event.interval;
  }
  pull.events.on('accept:error', (event) => is<string, typeof event.code>());
  pull.events.on('event', (event) => same<SocketEvent, typeof event>(true));
  // @ts-expect-error
  pull.events.on('nonsense', () => {});
}
void loops;

async function sends(push: Push): Promise<void> {
  same<Promise<void>, ReturnType<typeof send>>(true);
  const send = () => push.send('x');
  await push.send(['a', Buffer.of(1), null, 5, new Float64Array(1), new ArrayBuffer(1)]);
  await push.send('x', { more: true, timeout: 5, signal: AbortSignal.timeout(5) });
  await push.sendMultipart(new Set(['a', 'b']));
  same<boolean, ReturnType<typeof attempt>>(true);
  const attempt = () => push.trySend('x');
  // @ts-expect-error
  await push.send({});
  // @ts-expect-error
  await push.send(undefined);
  // @ts-expect-error
  await push.send('x', { more: 'yes' });
  // @ts-expect-error
  push.trySend('x', { timeout: 5 });
}
void sends;

function handles(router: Router): void {
  same<Handle<'socket'>, ReturnType<typeof share>>(true);
  const share = () => router.share();
  same<Socket, ReturnType<typeof attach>>(true);
  const attach = () => Socket.attach(router.share());
  // @ts-expect-error
  Socket.attach({});
}
void handles;

function disposed(): void {
  using pull = new Pull();
  void pull;
}
async function disposedLater(): Promise<void> {
  await using push = new Push();
  void push;
}
void disposed;
void disposedLater;

new Pull({ receiveHighWaterMark: 5, prefetch: 1024, dedicatedWorker: true });
// @ts-expect-error
new Pull({ sendHighWaterMark: 5 });
// @ts-expect-error
new Pull({ recieveHighWaterMark: 5 });
// @ts-expect-error
new Socket('PUL');
