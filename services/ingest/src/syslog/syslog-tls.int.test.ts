import { freePort } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, type ConnectionOptions } from 'node:tls';
import { readEvents, startForTest, temporaryFolder } from '../testing/ingest-harness.ts';

/** A certificate that signs itself, and its key, as files. */
function certificate(folder: string, name: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', key, '-out', cert];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...files, ...subject],
    {
      stdio: 'ignore',
    },
  );
  return { cert, key };
}

/** Resolves when the server has closed the connection. */
async function send(port: number, text: string, options: ConnectionOptions): Promise<Error | undefined> {
  const socket = connect({ port, host: '127.0.0.1', ...options });
  let problem: Error | undefined;
  socket.on('error', (error: Error) => (problem = error));
  socket.resume();
  socket.end(text);
  await new Promise((resolve) => socket.once('close', resolve));
  return problem;
}

test('syslog over TLS, with octet counting; with a CA only for senders that it has signed', async () => {
  using folder = temporaryFolder();
  using keys = temporaryFolder();
  const server = certificate(keys.path, 'server');
  const sender = certificate(keys.path, 'sender');
  const ca = readFileSync(server.cert);
  const env = { SYSLOG_TLS_CERT_FILE: server.cert, SYSLOG_TLS_KEY_FILE: server.key };
  const message = '<13>1 2026-01-01T00:00:00Z h1 app - - - over TLS';
  {
    const port = await freePort();
    await using service = await startForTest(folder.path, { ...env, SYSLOG_TLS_PORT: String(port) });
    assert.equal(await send(port, `${message.length} ${message}`, { ca }), undefined);
    await service.drain();
  }
  {
    const port = await freePort();
    const mutual = { ...env, SYSLOG_TLS_PORT: String(port), SYSLOG_TLS_CA_FILE: sender.cert };
    await using service = await startForTest(folder.path, mutual);
    await send(port, `${message} without a certificate\n`, { ca });
    const own = { ca, cert: readFileSync(sender.cert), key: readFileSync(sender.key) };
    assert.equal(await send(port, `${message} with a certificate\n`, own), undefined);
    await service.drain();
  }
  const events = await readEvents(folder.path);
  assert.deepEqual(events.map(({ message, service, host }) => `${host} ${service} ${message}`).sort(), [
    'h1 app over TLS',
    'h1 app over TLS with a certificate',
  ]);
});

test('a certificate without its key stops the start', async () => {
  using folder = temporaryFolder();
  using keys = temporaryFolder();
  const { cert } = certificate(keys.path, 'server');
  await assert.rejects(startForTest(folder.path, { SYSLOG_TLS_CERT_FILE: cert }), /SYSLOG_TLS_KEY/);
});
