import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { IngestKeys } from './ingest-keys.ts';

test('a key that is taken out is refused, also after the clock was set back by an hour', async (t) => {
  using folder = temporaryFolder('keys');
  const file = join(folder.path, 'keys.json');
  const write = (names: readonly string[], changedAt: number): void => {
    const sha256 = (name: string): string => createHash('sha256').update(`secret-${name}`).digest('hex');
    writeFileSync(file, JSON.stringify({ keys: names.map((name) => ({ name, sha256: sha256(name) })) }));
    utimesSync(file, changedAt, changedAt);
  };
  write(['a', 'b'], 1);
  const ahead = Date.now() + 3_600_000;
  t.mock.method(Date, 'now', () => ahead);
  const keys = new IngestKeys(file);
  assert.equal(keys.named('b')?.name, 'b');
  t.mock.restoreAll();
  write(['a'], 2);
  const deadline = performance.now() + 60_000;
  while (keys.named('b') !== undefined) {
    assert.ok(performance.now() < deadline, 'in time');
    await sleep(50);
  }
  assert.equal(keys.named('a')?.name, 'a');
});
