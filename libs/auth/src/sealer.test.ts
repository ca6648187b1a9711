import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSealer, Sealer } from './index.ts';

test('a sealed text opens in its context only, and not when a bit of it has changed', () => {
  const sealer = Sealer.random();
  const context = ['/api/search', '', 'service:"pay"'];
  const sealed = sealer.seal('[1,2,3]', context);
  assert.equal(sealer.open(sealed, context), '[1,2,3]');
  assert.equal(sealer.open(sealer.seal('', context), context), '');
  assert.match(sealed, /^[\w-]+$/);
  for (const other of [['/api/correlations', '', 'service:"pay"'], ['/api/search', 'service:"pay"', ''], []])
    assert.equal(sealer.open(sealed, other), undefined);
  assert.equal(Sealer.random().open(sealed, context), undefined);
  for (const text of ['', 'abc', Buffer.from('[1,2,3]').toString('base64url'), sealed.slice(0, -2)])
    assert.equal(sealer.open(text, context), undefined, text);
  const bytes = Buffer.from(sealed, 'base64url');
  for (let i = 0; i < bytes.length; i++) {
    bytes[i]! ^= 1;
    assert.equal(sealer.open(bytes.toString('base64url'), context), undefined, `byte ${i}`);
    bytes[i]! ^= 1;
  }
});

test('neither the text nor its length can be seen', () => {
  const sealer = Sealer.random();
  const one = sealer.seal('[1,1]', []);
  const other = sealer.seal('[1714561200000000,123456789]', []);
  assert.equal(one.length, other.length);
  assert.notEqual(one, sealer.seal('[1,1]', []));
  assert.ok(!Buffer.from(other, 'base64url').includes('1714561200000000'));
});

test('the key is made once, for its user only; a shared secret needs no file', () => {
  const folder = temporaryFolder('sealer').path;
  try {
    const open = () => openSealer({ secret: undefined, folder });
    const sealed = open().seal('a', []);
    assert.equal(open().open(sealed, []), 'a');
    const file = join(folder, 'cursor.key');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const shared = () => openSealer({ secret: 's'.repeat(32), folder: '/dev/null/nowhere' });
    assert.equal(shared().open(shared().seal('b', []), []), 'b');
    assert.equal(shared().open(sealed, []), undefined);
    writeFileSync(file, readFileSync(file, 'utf8').slice(5));
    assert.throws(open, { code: 'bad-settings', message: /cursor\.key/ });
    const warnings: string[] = [];
    openSealer({ secret: undefined, folder: '/dev/null/nowhere', warn: (message) => warnings.push(message) });
    assert.match(warnings.join(), /CURSOR_KEY/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
