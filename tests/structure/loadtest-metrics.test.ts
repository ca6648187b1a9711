import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { metrics } from '../../apps/loadtest/src/verdict/metrics.ts';

test('the page about the verdict has every metric with its unit, and no other', () => {
  const page = readFileSync(new URL('../../docs/loadtest-verdict.md', import.meta.url), 'utf8');
  const rows = page
    .split('## Objectives')[1]!
    .split('## ')[0]!
    .matchAll(/^\| (`.*?) *\| (\S+) *\|/gm);
  const documented = [...rows].flatMap(([, names, unit]) =>
    [...names!.matchAll(/`([^`]+)`/g)].map(([, name]) => `${name} ${unit}`),
  );
  assert.deepEqual(documented.toSorted(), metrics.map(({ name, unit }) => `${name} ${unit}`).toSorted());
});
