/** Checked by tsc, never run: what the typed socket classes have, and what they do not have. */
import { Socket } from '../../src/socket.js';
import {
  type CommonSocket,
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Stream,
  Subscriber,
  XPublisher,
  XSubscriber,
} from '../../src/sockets.js';

type Has<T, Key extends PropertyKey> = Key extends keyof T ? true : false;
function is<_Expected, Actual extends _Expected>(_?: Actual): void {}

// Senders that cannot receive.
for (const socket of [new Publisher(), new Push()]) {
  void socket.send('x');
  void socket.sendMultipart(['x']);
  socket.trySend('x');
  socket.sendSync('x');
  is<boolean, typeof socket.writable>();
  // @ts-expect-error
  void socket.recv();
  // @ts-expect-error
  void socket.receive();
  // @ts-expect-error
  socket.tryRecv();
  // @ts-expect-error
  socket.recvSync();
  // @ts-expect-error
  socket.batches();
  // @ts-expect-error
  void socket.readable;
  // @ts-expect-error
  socket.subscribe('x');
}
is<false, Has<Publisher, 'recv' | 'recvMultipart' | typeof Symbol.asyncIterator | 'subscribe'>>();
is<false, Has<Push, 'recv' | 'readable' | 'unsubscribe'>>();

// Receivers that cannot send.
for (const socket of [new Pull(), new Subscriber()]) {
  void socket.recv();
  void socket.recvMultipart();
  void socket.receive();
  socket.tryRecv();
  socket.tryRecvMultipart();
  socket.batches();
  is<boolean, typeof socket.readable>();
  // @ts-expect-error
  void socket.send('x');
  // @ts-expect-error
  socket.trySend('x');
  // @ts-expect-error
  socket.sendSync('x');
  // @ts-expect-error
  void socket.writable;
}
is<false, Has<Pull, 'send' | 'sendMultipart' | 'subscribe' | 'unsubscribe'>>();

async function loops(pull: Pull, push: Push): Promise<void> {
  for await (const frames of pull) {
    is<number, typeof frames.length>();
  }
  // @ts-expect-error
  for await (const frames of push) {
    void frames;
  }
}
void loops;

// Both directions.
for (const socket of [
  new Pair(),
  new Request(),
  new Reply(),
  new Dealer(),
  new Router(),
  new XPublisher(),
  new XSubscriber(),
  new Stream(),
]) {
  void socket.send('x');
  void socket.recv();
}

// Subscriptions.
new Subscriber().subscribe('a', 'b');
new XSubscriber().unsubscribe();
// @ts-expect-error
new Pair().subscribe('a');

// What all have.
function common(socket: CommonSocket): void {
  socket.bind('tcp://127.0.0.1:*');
  socket.connect('tcp://127.0.0.1:1');
  socket.getOption('linger');
  socket.setOption('linger', 0);
  is<boolean, typeof socket.closed>();
  is<string | null, typeof socket.lastEndpoint>();
  socket.linger = 0;
  // @ts-expect-error
  socket.mandatory = true;
  socket[Symbol.dispose]();
  void socket.close();
}
common(new Publisher());
common(new Stream());
common(new Socket('PULL'));
// @ts-expect-error
common({});

// Classes of one's own, and instanceof.
class WeatherPublisher extends Publisher {
  constructor() {
    super({ sendHighWaterMark: 5 });
  }

  report(text: string): Promise<void> {
    this.linger = 0;
    // @ts-expect-error
    void this.recv;
    return this.send(text);
  }
}
void new WeatherPublisher().report('rain');
is<Publisher, WeatherPublisher>();

function receive(socket: CommonSocket): void {
  if (socket instanceof Socket) {
    void socket.recv();
  }
  if (socket instanceof Pull) {
    void socket.recv();
    // @ts-expect-error
    void socket.send('x');
  }
}
receive(new Pull());

// Overloads survive.
is<Promise<string>, ReturnType<typeof text>>();
function text(pull: Pull): Promise<string> {
  return pull.recv('utf8');
}
