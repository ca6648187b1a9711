import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccessFaults } from './access-faults.ts';

test('a refused operation counts until the engine does the same one', () => {
  const faults = new AccessFaults();
  assert.equal(faults.current, undefined);
  faults.refused('no permission to write', 'write');
  faults.taken('read');
  faults.taken();
  assert.equal(faults.current, 'no permission to write');
  faults.taken('write');
  assert.equal(faults.current, undefined);
});

test('a refused login counts until the engine does anything', () => {
  const faults = new AccessFaults();
  faults.refused('a wrong password');
  assert.equal(faults.current, 'a wrong password');
  faults.taken('read');
  assert.equal(faults.current, undefined);
});

test('what is not asked for any more is forgotten', () => {
  let now = 0;
  const faults = new AccessFaults(() => now);
  faults.refused('no permission to write', 'write');
  now = 29_000;
  faults.refused('no permission to read', 'read');
  assert.equal(faults.current, 'no permission to write');
  now = 31_000;
  assert.equal(faults.current, 'no permission to read');
  now = 60_000;
  assert.equal(faults.current, undefined);
});
