import { isIP } from 'node:net';
import { connect, type SecureContext } from 'node:tls';

const answerMs = 3_000;

/**
 * Why a server at host:port does not take a TLS client with this context; undefined when it does, or does not answer. For HTTP clients
 * that keep the code of such an error to themselves. The request makes a server speak that has not looked at the client's certificate yet.
 */
export function tlsHandshakeError(
  host: string,
  port: number,
  secureContext: SecureContext | undefined,
): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const name = host.replace(/^\[|\]$/g, '');
    const options = { host: name, port, ...(secureContext && { secureContext }) };
    const socket = connect({ ...options, ...(isIP(name) === 0 && { servername: name }) }, () =>
      socket.write(`HEAD / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    );
    const end = (error?: Error): void => {
      socket.destroy();
      resolve(error);
    };
    socket.setTimeout(answerMs, () => end());
    socket.once('data', () => end());
    socket.once('close', () => end());
    socket.on('error', end);
  });
}
