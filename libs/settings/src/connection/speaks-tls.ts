import { connect } from 'node:tls';

const answerMs = 3_000;

/** Whether somebody answers in TLS at host:port. Nothing that is secret is sent or believed. */
export function speaksTls(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, rejectUnauthorized: false }, () => end(true));
    const end = (isTls: boolean): void => {
      socket.destroy();
      resolve(isTls);
    };
    socket.setTimeout(answerMs, () => end(false));
    // Later errors, such as the wish for a client certificate, come after the handshake.
    socket.on('error', () => end(false));
  });
}
