import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface Mail {
  from: string;
  to: string[];
  user: string | undefined;
  isEncrypted: boolean;
  /** Headers and body, as they came. */
  source: string;
}

/** A certificate for the loopback address, and its key, in the folder. */
export function makeCertificate(folder: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const names = 'subjectAltName=IP:127.0.0.1,DNS:localhost';
  const args = ['req', '-x509', '-newkey', 'ed25519', '-noenc', '-subj', '/CN=localhost', '-addext', names];
  execFileSync('openssl', [...args, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { cert, key };
}

/** An SMTP server on the loopback address that keeps every mail. Its user is `ada`, with the password `pass word`. */
export async function startSmtpReceiver(
  certificate: { cert: string; key: string },
  options: SMTPServerOptions = {},
) {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    cert: readFileSync(certificate.cert),
    key: readFileSync(certificate.key),
    authOptional: true,
    logger: false,
    onAuth: ({ username, password }, _, callback) => {
      if (username === 'ada' && password === 'pass word') callback(null, { user: username });
      else callback(Object.assign(new Error('wrong password'), { responseCode: 535 }));
    },
    onData: (stream, session, callback) => {
      void text(stream).then((source) => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          user: session.user === undefined ? undefined : String(session.user),
          isEncrypted: session.secure,
          source,
        });
        callback();
      });
    },
    ...options,
  });
  server.on('error', () => {});
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  return {
    port,
    mails,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
