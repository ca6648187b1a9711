import { speaksTls } from './security/access-fault.ts';
import type { KafkaSecurity } from './security/kafka-security.ts';

/** ApiVersions in version 0, which every broker answers before anything else, by an empty client id. */
const pingRequest = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 0, 0, 0]);

/**
 * Calls `answered` when the broker at host:port says anything, `failed` when it takes no connection, or speaks TLS and this client does
 * not; the result ends the ping.
 */
export function ping(
  security: KafkaSecurity,
  address: string,
  answered: () => void,
  failed: (error: Error) => void = () => {},
): () => void {
  const [host, port] = splitAddress(address);
  const socket = security.connect(host, port, () => socket.write(pingRequest)).unref();
  socket.on('error', failed);
  socket.once('data', (bytes: Buffer) => {
    socket.destroy();
    // An answer begins with its length, of which the first byte is 0; TLS begins with the kind of its record, an alert.
    if (bytes[0] === 0) answered();
    else failed(Object.assign(new Error(`${address} speaks TLS`), { code: speaksTls }));
  });
  socket.once('end', () => failed(new Error(`${address} closed the connection`)));
  return () => socket.destroy();
}

export function splitAddress(address: string): [host: string, port: number] {
  const colon = address.lastIndexOf(':');
  return [address.slice(0, colon), Number(address.slice(colon + 1))];
}
