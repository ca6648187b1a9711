import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

test('of each setting the certificate that expires first is told, as its file is now; what is none is left out', async () => {
  using folder = temporaryFolder('certificates');
  const file = join(folder.path, 'ca.pem');
  writeFileSync(file, certificate(30) + certificate(2));
  const telemetry = createTelemetry('ingest', 'silent');
  registerCertificateExpiry(telemetry, {
    KAFKA_SSL_CA: { setting: 'KAFKA_SSL_CA', text: '', file },
    KAFKA_SSL_CERT: { setting: 'KAFKA_SSL_CERT', text: certificate(9) },
    KAFKA_SSL_KEY: { setting: 'KAFKA_SSL_KEY', text: 'no certificate' },
    HOST: '127.0.0.1',
  });
  const days = async () => {
    const text = await telemetry.registry.metrics();
    const found = text.matchAll(
      /^logloom_certificate_expiry_timestamp_seconds\{setting="(\w+)",.*\} (\d+)$/gm,
    );
    return Object.fromEntries(
      [...found].map(([, setting = '', at]) => {
        const days = Math.round((Number(at) - Date.now() / 1000) / 86_400);
        return [setting, days] as const;
      }),
    );
  };
  assert.deepEqual(await days(), { KAFKA_SSL_CA: 2, KAFKA_SSL_CERT: 9 });
  writeFileSync(file, certificate(90));
  assert.deepEqual(await days(), { KAFKA_SSL_CA: 90, KAFKA_SSL_CERT: 9 });
  rmSync(file);
  assert.deepEqual(await days(), { KAFKA_SSL_CERT: 9 });
});
