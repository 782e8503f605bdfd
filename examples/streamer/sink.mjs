// Takes what comes out of the streamer, until it is told to stop with Ctrl-C.
//
//   node examples/streamer/sink.mjs [backend]
import { Pull } from 'zeromq-threads';

const sink = new Pull({ receiveHighWaterMark: 100 });
sink.connect(process.argv[2] ?? 'tcp://127.0.0.1:5560');
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => sink.close());
console.log('ready');

let taken = 0;
for await (const _ of sink) {
  taken += 1;
  if (taken % 1000 === 0) console.log(`${taken} taken`);
}
console.log(`${taken} taken`);
