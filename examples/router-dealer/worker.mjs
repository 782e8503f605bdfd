// A worker process of boss.mjs, which starts it.
import { setTimeout as sleep } from 'node:timers/promises';
import { Dealer } from 'zeromq-threads';

const [endpoint, name] = process.argv.slice(2);
const dealer = new Dealer({ routingId: name });
dealer.connect(endpoint);

await dealer.send('ready');
for await (const [kind, job] of dealer) {
  if (kind.toString() !== 'job') break;
  await sleep(2); // whatever takes its time
  await dealer.send(['result', String(Number(job.toString()) ** 2)]);
}
dealer.close();
