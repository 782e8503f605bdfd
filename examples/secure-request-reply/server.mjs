// Answers requests of clients whose public keys are in a folder, and says who asked. Keys can be put into the folder
// and taken out while it runs; SIGINT or SIGTERM ends it.
//
//   npx zeromq-threads keygen keys/server
//   npx zeromq-threads keygen keys/clients/alice
//   node server.mjs keys/server.key_secret keys/clients [tcp://127.0.0.1:5555]
import { Authenticator, Reply, readCurveKeyFile } from 'zeromq-threads';

const [keyFile, clients, endpoint = 'tcp://127.0.0.1:5555'] = process.argv.slice(2);
const { publicKey, secretKey } = await readCurveKeyFile(keyFile);

const authenticator = new Authenticator();
authenticator.events.on('denied', ({ address, reason }) => console.log(`refused ${address}: ${reason}`));
await authenticator.configureCurve({ directory: clients });

const server = new Reply({
  curveServer: true,
  curvePublicKey: publicKey,
  curveSecretKey: secretKey,
  zapDomain: 'global',
  zapEnforceDomain: true,
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close());
console.log(`listening on ${server.bind(endpoint)}`);

for await (const [request] of server) {
  console.log(`${request.metadata('name') ?? request.metadata('User-Id')} asks`);
  await server.send(`hello, ${request}`);
}
await authenticator.close();
