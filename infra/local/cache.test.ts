import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { cachedFolder } from './cache.ts';

const cacheDir = temporaryFolder('cache').path;
after(() => rmSync(cacheDir, { recursive: true }));
const { signal } = new AbortController();

test('two that ask at once get one folder, filled once', async () => {
  let fills = 0;
  const ask = (): Promise<string> =>
    cachedFolder(cacheDir, 'twice', ['1'], signal, async (folder) => {
      writeFileSync(join(folder, 'file'), String(++fills));
    });
  const [a, b] = await Promise.all([ask(), ask()]);
  assert.equal(a, b);
  assert.equal(readFileSync(join(a, 'file'), 'utf8'), '1');
});

test('other inputs make another folder', async () => {
  const ask = (input: string): Promise<string> =>
    cachedFolder(cacheDir, 'inputs', [input], signal, async () => {});
  assert.notEqual(await ask('9.5.2'), await ask('9.5.3'));
});

test('a failed download leaves nothing, and can be tried again', async () => {
  const before = readdirSync(cacheDir);
  const ask = (fill: () => Promise<void>): Promise<string> =>
    cachedFolder(cacheDir, 'failed', [], signal, fill);
  await assert.rejects(
    ask(() => Promise.reject(new Error('no network'))),
    /no network/,
  );
  assert.deepEqual(readdirSync(cacheDir), before);
  await ask(async () => {});
});
