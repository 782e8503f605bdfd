// Waits for several sockets at once, with a timeout.
//
//   node examples/poller.mjs
import { Poller, Pull, Push, TimeoutError } from 'zeromq-threads';

const orders = new Pull();
const control = new Pull();
const customer = new Push();
const boss = new Push();
customer.connect(orders.bind('tcp://127.0.0.1:*'));
boss.connect(control.bind('tcp://127.0.0.1:*'));

const poller = new Poller([orders, control]);
let idle = 0;
let served = 0;
for (;;) {
  try {
    const { socket } = await poller.wait({ timeout: 50 });
    const text = (await socket.recv()).toString();
    if (socket === control && text === 'exit') break;
    served += 1;
    console.log(`order: ${text}`);
    if (served === 3) await boss.send('exit');
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    idle += 1;
    if (idle === 1) {
      console.log('nothing to do yet');
      for (const order of ['tea', 'coffee', 'cake']) await customer.send(order);
    }
  }
}
console.log('done');

poller.close(); // leaves its sockets open
for (const socket of [orders, control, customer, boss]) socket.close();
