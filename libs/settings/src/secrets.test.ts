import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hideSecrets, withoutSecrets } from './secrets.ts';

const shown: readonly [name: string, value: string, expected: string][] = [
  ['REDIS_URL', 'http://ada:hunter2@redis:6379', 'http://***@redis:6379'],
  ['REDIS_URL', 'redis:/:hunter2@redis', 'redis:/***@redis'],
  ['MONGODB_URL', 'mongo://u:p@ss@a:1,b:2/logs', 'mongo://***@a:1,b:2/logs'],
  ['ELASTICSEARCH_URL', 'ftp://es?api_key=abc&x=1', 'ftp://es?api_key=***&x=1'],
  ['LOGLOOM_KEY', 'abc', '***'],
  ['LIVE_PORT', '70000', '70000'],
];
for (const [name, value, expected] of shown)
  test(`${name}=${value} is shown as ${expected}`, () => assert.equal(withoutSecrets(name, value), expected));

test('a text is shown without the secrets, also where one is part of another', () => {
  assert.equal(hideSecrets('got abcd, want abc', ['abc', 'abcd', '']), 'got ***, want ***');
});
