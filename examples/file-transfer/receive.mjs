// Receives one file from send.mjs.
//
//   node examples/file-transfer/receive.mjs <file to write> [endpoint]
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Pull } from 'zeromq-threads';

const [path, where = 'tcp://127.0.0.1:5558'] = process.argv.slice(2);
if (path === undefined) {
  console.error('usage: node receive.mjs <file to write> [endpoint]');
  process.exit(2);
}

// At most this many messages of 1 MiB wait here; the sender waits in turn.
const pull = new Pull({ receiveHighWaterMark: 8, prefetch: 8 << 20 });
console.log(`waiting on ${pull.bind(where)}`);

const file = await open(path, 'w');
const hash = createHash('sha256');
let bytes = 0;
for await (const [piece] of pull) {
  if (piece.length === 0) break;
  hash.update(piece);
  await file.write(piece); // straight from the memory that it was received into
  bytes += piece.length;
  piece.release(); // a hint, never necessary: this memory can be used for the next piece
}
await file.close();
pull.close();
console.log(`received ${bytes} bytes, sha256 ${hash.digest('hex')}`);
