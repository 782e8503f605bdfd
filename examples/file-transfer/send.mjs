// Sends a file without copying it: libzmq sends from the very memory that the file was read into.
//
//   node examples/file-transfer/send.mjs <file> [endpoint]
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Message, Push } from 'zeromq-threads';

const PIECE = 1 << 20;
const [path, endpoint = 'tcp://127.0.0.1:5558'] = process.argv.slice(2);
if (path === undefined) {
  console.error('usage: node send.mjs <file> [endpoint]');
  process.exit(2);
}

const push = new Push();
push.connect(endpoint);

// A Message is sent without a copy from 16 KiB up. Until `freed` its memory is libzmq's, so a few take turns.
const slots = Array.from({ length: 4 }, () => ({ memory: Message.alloc(PIECE), sent: undefined }));
const file = await open(path, 'r');
const hash = createHash('sha256');
let bytes = 0;
for (let n = 0; ; n++) {
  const slot = slots[n % slots.length];
  await slot.sent?.freed;
  const { bytesRead } = await file.read(slot.memory, 0, PIECE);
  if (bytesRead === 0) break;
  slot.sent = Message.wrap(slot.memory, slot.memory.subarray(0, bytesRead));
  hash.update(slot.sent);
  bytes += bytesRead;
  await push.send(slot.sent);
}
await push.send('');
await file.close();
push.close();
console.log(`sent ${bytes} bytes, sha256 ${hash.digest('hex')}`);
