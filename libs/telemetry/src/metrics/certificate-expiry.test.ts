import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { createTelemetry } from '../telemetry.ts';
import { registerCertificateExpiry } from './certificate-expiry.ts';

/** A certificate that is valid for so many days, with its key. */
function certificate(days: number): string {
  return execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ed25519',
      '-noenc',
      '-keyout',
      '-',
      '-subj',
      '/CN=test',
      '-days',
      String(days),
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
}

test('of each setting the certificate that expires first is told, and what is none is left out', async () => {
  const telemetry = createTelemetry('ingest', 'silent');
  const texts = { KAFKA_SSL_CA: certificate(30) + certificate(2), TLS_CERT: 'no certificate' };
  registerCertificateExpiry(telemetry, () => texts);
  const text = await telemetry.registry.metrics();
  const [, expiry] =
    /^logloom_certificate_expiry_timestamp_seconds\{setting="KAFKA_SSL_CA",.*\} (\d+)$/m.exec(text)!;
  const days = (Number(expiry) - Date.now() / 1000) / 86_400;
  assert.ok(days > 1.9 && days < 2.1, String(days));
  assert.doesNotMatch(text, /TLS_CERT/);
});
