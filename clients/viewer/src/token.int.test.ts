import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pipeline } from '../../../tests/pipeline/pipeline.ts';
import { LiveClient } from './index.js';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');

/** A token that is good for so many seconds. */
function issue(seconds: number): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + seconds;
  const signed = `${encode({ alg: 'EdDSA', kid: 'k' })}.${encode({ exp, sub: 'ada' })}`;
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
}

test('each event once while tokens expire under the connection and are replaced', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'logloom-token-'));
  const keys = join(folder, 'keys.json');
  writeFileSync(
    keys,
    JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'EdDSA' }] }),
  );
  await using pipeline = await Pipeline.create({ LIVE_AUTH_JWKS: keys });
  await pipeline.start();
  const url = `${pipeline.viewersUrl.replace('http', 'ws')}/live`;
  const stop = new AbortController();
  const expired: string[] = [];
  let tokens = 0;
  const client = new LiveClient({
    url,
    signal: stop.signal,
    token: () => {
      tokens++;
      return issue(3);
    },
    onError: ({ code }) => expired.push(code),
  });
  const watch = client.watch({ filter: 'service:guarded', from: { last: '1h' } });
  client.connect();
  let sent = 0;
  const sending = (async () => {
    while (tokens < 3) {
      const headers = { 'logloom-producer': 'guarded', 'logloom-sequence': String(sent) };
      await pipeline.ingest(JSON.stringify({ service: 'guarded', message: `n${sent++}` }), headers);
      await sleep(20);
    }
    await pipeline.ingest('{"service":"guarded","message":"last"}');
  })();
  const seen: string[] = [];
  for await (const entry of watch) {
    assert.equal(entry.type, 'event');
    if (entry.type !== 'event' || entry.event.message === 'last') break;
    seen.push(entry.event.message);
  }
  await sending;
  stop.abort();
  rmSync(folder, { recursive: true });
  assert.deepEqual(
    seen,
    Array.from({ length: sent }, (_, n) => `n${n}`),
  );
  assert.ok(expired.includes('token-expired'), expired.join());
});
