// A streamer: work from many sources, shared out among many sinks. When all sinks are busy it takes no more, and its
// sources wait. A capture socket lets somebody else see everything that passes.
//
//   node examples/streamer/streamer.mjs [frontend] [backend] [capture]
//   node examples/push-pull/push.mjs tcp://127.0.0.1:5559           node examples/streamer/sink.mjs
import { Publisher, Pull, Push, proxy } from 'zeromq-threads';

const frontend = new Pull({ receiveHighWaterMark: 100 });
const backend = new Push({ sendHighWaterMark: 100 });
const capture = new Publisher();
console.log(`sources connect to ${frontend.bind(process.argv[2] ?? 'tcp://127.0.0.1:5559')}`);
console.log(`sinks connect to ${backend.bind(process.argv[3] ?? 'tcp://127.0.0.1:5560')}`);
console.log(`spectators subscribe at ${capture.bind(process.argv[4] ?? 'tcp://127.0.0.1:5561')}`);

const streamer = proxy(frontend, backend, { capture, closeSockets: true });
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => streamer.terminate());
// SIGUSR2 holds everything where it is; once more, and it goes on.
process.on('SIGUSR2', () => {
  if (streamer.state === 'paused') streamer.resume();
  else streamer.pause();
  console.log(streamer.state);
});

await streamer.finished;
console.log(`${streamer.statistics().backend.messagesOut} messages passed`);
