/** Checked by tsc, never run: what the classes of the draft API have, and what they do not have. */
import { Channel, Client, Datagram, Dish, Gather, Peer, Radio, Scatter, Server } from '../../src/draft.js';
import type { Message } from '../../src/message.js';
import { Pull, Push } from '../../src/sockets.js';

declare const message: Message;

void new Server().send('x', { routingId: 7 });
void new Server({ sendHighWaterMark: 10 }).send(message);
void new Radio().send('x', { group: 'g' });
new Dish().join('a', 'b');
new Dish().leave('a');
const id: number = new Peer().connectPeer('tcp://127.0.0.1:5555');
void new Peer().send('x', { routingId: id });
void new Datagram().send(['127.0.0.1:5555', 'x']);
void new Channel().send('x');
void new Client().recv('utf8');
void new Scatter().send('x');
void new Gather().recv();

const routingId: number | undefined = message.routingId;
const group: string | undefined = message.group;
message.group = 'g';
message.routingId = 7;
void [routingId, group];

// @ts-expect-error a DISH only receives
void new Dish().send('x');
// @ts-expect-error a RADIO only sends
void new Radio().recv();
// @ts-expect-error only a DISH joins
new Radio().join('g');
// @ts-expect-error only a PEER has that
new Client().connectPeer('tcp://127.0.0.1:5555');
// @ts-expect-error neither has it
new Pull().join('g');
// @ts-expect-error nor this one
new Push().leave('g');
// @ts-expect-error
void new Server().send('x', { routingId: 'seven' });
