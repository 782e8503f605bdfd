// Has server.mjs hash files, and prints what sha256sum would.
//
//   node examples/hash-workers/client.mjs endpoint file...
import { readFile } from 'node:fs/promises';
import { Requester } from 'zeromq-threads';

const [endpoint = 'tcp://127.0.0.1:5571', ...files] = process.argv.slice(2);
const requester = new Requester({ connect: endpoint, timeout: 10_000 });

// All are under way at once; the answers come in the order of the files all the same.
const answers = files.map(async (file) => requester.request(['sha256', await readFile(file)]));
for (const [index, answer] of answers.entries()) {
  const [digest] = await answer;
  console.log(`${digest}  ${files[index]}`);
}
requester.close();
