import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findTests } from './find-tests.ts';
import { longestFirst, longestTests } from './longest-tests.ts';

test('the longest tests are integration tests that exist', () => {
  const integration = new Set(findTests([]).integration);
  assert.deepEqual(
    longestTests.filter((file) => !integration.has(file)),
    [],
  );
});

test('the longest come first, each file once, the others in their order', () => {
  const [first, second] = longestTests;
  assert.deepEqual(longestFirst(['a', second!, 'b', first!]), [first, second, 'a', 'b']);
});
