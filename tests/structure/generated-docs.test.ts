import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { generatedPages } from '../../tools/docs/generated-pages.ts';

const root = join(import.meta.dirname, '../..');

test('the generated pages are what their declarations say', async () => {
  const pages = await generatedPages();
  assert.notEqual(pages.length, 0);
  for (const { file, text } of pages)
    assert.equal(readFileSync(join(root, file), 'utf8'), text, `${file} is old: npm run docs`);
});
