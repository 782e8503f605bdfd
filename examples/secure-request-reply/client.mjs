// Asks the server once. It knows the server's public key, and has a key pair of its own.
//
//   node client.mjs keys/clients/alice.key_secret keys/server.key tcp://127.0.0.1:5555
import { Request, readCurveKeyFile } from 'zeromq-threads';

const [keyFile, serverKeyFile, endpoint] = process.argv.slice(2);
const { publicKey, secretKey } = await readCurveKeyFile(keyFile);
const { publicKey: serverKey } = await readCurveKeyFile(serverKeyFile);

const client = new Request({
  curveServerKey: serverKey,
  curvePublicKey: publicKey,
  curveSecretKey: secretKey,
  linger: 0,
});
const refused = new Promise((resolve) => client.events.once('handshake:error:auth', resolve));
client.connect(endpoint);

await client.send('world');
const outcome = await Promise.race([client.recv('utf8', { timeout: 10_000 }), refused]);
console.log(typeof outcome === 'string' ? outcome : `refused: ${outcome.reason}`);
client.close();
