/**
 * Several DEALER sockets that ask, each with so many requests under way, and check that every answer is to one of
 * their own that is still open. Prints how many were answered, and how many of these said that they had failed.
 *
 *   node asking-peers.mjs endpoint sockets count window
 */
import { Dealer } from 'zeromq-threads';

const [endpoint, ...numbers] = process.argv.slice(2);
const [sockets, count, window] = numbers.map(Number);

async function ask(index) {
  const dealer = new Dealer({ linger: 0 });
  dealer.connect(endpoint);
  const open = new Set();
  const mark = `${process.pid}/${index}`;
  let sent = 0;
  let failed = 0;
  const send = async () => {
    const number = String(sent++);
    open.add(number);
    await dealer.send(['', number, mark]);
  };
  while (sent < Math.min(window, count)) await send();
  for (let answered = 0; answered < count; answered += 1) {
    const [delimiter, number, to, outcome, ...more] = (await dealer.recvMultipart()).map(String);
    if (delimiter !== '' || to !== mark || more.length > 0 || !open.delete(number)) {
      throw new Error(`${mark} got what it had not asked for: ${[delimiter, number, to, outcome, ...more]}`);
    }
    if (outcome === 'failed') failed += 1;
    if (sent < count) await send();
  }
  dealer.close();
  return failed;
}

const failed = await Promise.all(Array.from({ length: sockets }, (_, index) => ask(index)));
console.log(JSON.stringify({ answered: sockets * count, failed: failed.reduce((sum, n) => sum + n, 0) }));
