import { connect } from 'node:net';

/** Ready when the server has printed this text. */
export function printed(text: string): (output: string) => Promise<boolean> {
  return async (output) => output.includes(text);
}

/** Ready when a connection to the port of 127.0.0.1 is taken. */
export function listens(port: number): () => Promise<boolean> {
  return () =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
}

/** Ready when the address answers 200 and `accepts` likes the body. */
export function answers(
  url: string,
  accepts: (body: string) => boolean = () => true,
): () => Promise<boolean> {
  return async () => {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
      const body = await response.text();
      return response.status === 200 && accepts(body);
    } catch {
      return false;
    }
  };
}
