import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainText } from '../read-text.ts';
import { timeZone } from '../time/time-zone.ts';
import { knownLayouts, knownWrappers } from './all-layouts.ts';

const context = { receivedAtMs: Date.parse('2025-12-01T12:00:00Z'), zone: timeZone('UTC')! };

for (const { name, examples } of knownLayouts)
  test(`${name} reads its examples, and no layout before it does`, () => {
    for (const [text, expected] of examples) {
      const { layout, event, usualService } = explainText(text, context);
      if (usualService !== undefined) event['service'] = usualService;
      assert.equal(layout, name, `${text}\n${JSON.stringify(event)}`);
      assert.partialDeepStrictEqual(event, expected, text);
    }
  });

test('what is wrapped around lines', () => {
  for (const { examples } of knownWrappers)
    for (const [text, expected] of examples)
      assert.partialDeepStrictEqual(explainText(text, context).event, expected, text);
});

test('layouts have names of their own, and there are many', () => {
  const names = knownLayouts.map(({ name }) => name);
  assert.deepEqual([...new Set(names)], names);
  assert.ok(names.length >= 60, String(names.length));
});
