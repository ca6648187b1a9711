import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqliteConsumerGroups } from './consumer-groups.ts';

test('a lease that a clock an hour ahead has given holds nobody up once the clock is set back', (t) => {
  using folder = temporaryFolder('lease');
  const groups = new SqliteConsumerGroups(folder.path);
  try {
    const ahead = Date.now() + 3_600_000;
    t.mock.method(Date, 'now', () => ahead);
    assert.equal(groups.lease('g', 'one'), true);
    assert.equal(groups.lease('g', 'two'), false);
    t.mock.restoreAll();
    assert.equal(groups.lease('g', 'two'), true);
    assert.equal(groups.lease('g', 'one'), false);
  } finally {
    groups.close();
  }
});
