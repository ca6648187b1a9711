import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings, secretsOf, SettingsError } from './index.ts';
import { withoutSecrets } from './secrets.ts';

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

test('what is said of a wrong setting holds no password', () => {
  assert.throws(
    () => parseSettings({ REDIS_URL: 'http://ada:hunter2@redis', MONGODB_URL: 'mongo://ada:hunter2@a' }),
    (error) => error instanceof SettingsError && !error.message.includes('hunter2'),
  );
});

test('the secrets of the settings are known, also as a library decodes them', () => {
  const settings = parseSettings({
    ELASTICSEARCH_URL: 'https://elastic:p%40ss@es:9200',
    MONGODB_URL: 'mongodb://u:one@a:1,b:2/logs',
    REDIS_URL: 'redis://:two@redis',
    LOGLOOM_KEY: 'three',
    LIVE_AUTH_ISSUER: 'https://login.example.com/',
  });
  assert.deepEqual(secretsOf(settings).sort(), ['one', 'one', 'p%40ss', 'p@ss', 'three', 'two', 'two']);
});
