import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exampleRulesFile } from './example-rules.ts';
import { loadRules } from './load-rules.ts';

test('the examples are rules without a warning, each with a description, a severity and labels', () => {
  const loaded = loadRules(exampleRulesFile);
  assert.ok(loaded.ok);
  assert.deepEqual(loaded.warnings, []);
  const rules = [...loaded.rules.rules, ...loaded.rules.windows];
  assert.ok(rules.length >= 15);
  for (const { name, message, severity, labels } of rules) {
    assert.notEqual(message, name);
    assert.ok(severity !== null && Object.keys(labels).length > 0, name);
  }
});
