import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { describeSettings, loadSettings, parseSettings, SettingsError } from './index.ts';

test('the defaults are those of the interface', () => {
  const settings = parseSettings({});
  assert.equal(settings.LOGLOOM_DATA, './data');
  assert.equal(settings.HOST, '127.0.0.1');
  assert.deepEqual([settings.INGEST_PORT, settings.SYSLOG_PORT, settings.LIVE_PORT], [4318, 5514, 4380]);
  assert.deepEqual([settings.CORRELATION_IDLE_MS, settings.CORRELATION_MAX_MS], [5000, 30000]);
  assert.deepEqual([settings.LIVE_FLUSH_MS, settings.LIVE_BUFFER_BYTES], [25, 1048576]);
});

test('every problem is listed at once', () => {
  assert.throws(
    () =>
      parseSettings({
        LIVE_PORT: 'x',
        KAFKA_BROKERS: 'nowhere',
        MONGODB_URL: 'http://a',
        CORRELATION_IDLE_MS: '-5',
      }),
    (error: unknown) => {
      assert.ok(error instanceof SettingsError);
      assert.equal(error.problems.length, 4);
      for (const name of ['LIVE_PORT', 'KAFKA_BROKERS', 'MONGODB_URL', 'CORRELATION_IDLE_MS'])
        assert.match(error.message, new RegExp(name));
      return true;
    },
  );
});

test('a MongoDB connection string may name several hosts', () => {
  assert.equal(
    parseSettings({ MONGODB_URL: 'mongodb://a:1,b:2/logs' }).MONGODB_URL,
    'mongodb://a:1,b:2/logs',
  );
});

test('a .env file is read beneath the environment', () => {
  const folder = mkdtempSync(join(tmpdir(), 'settings-'));
  try {
    writeFileSync(join(folder, '.env'), 'LIVE_PORT=5000\nINGEST_PORT=5001\n');
    const settings = loadSettings({ INGEST_PORT: '6000' }, join(folder, '.env'));
    assert.deepEqual([settings.LIVE_PORT, settings.INGEST_PORT], [5000, 6000]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('each setting has a description', () => {
  for (const setting of describeSettings()) assert.notEqual(setting.description, '', setting.name);
});

test('quotas of services: the rates of each, and what is none is named', () => {
  const { INGEST_SERVICE_QUOTAS } = parseSettings({ INGEST_SERVICE_QUOTAS: 'a-*=10/2000, b=-/5,c=-' });
  assert.deepEqual(INGEST_SERVICE_QUOTAS, [
    { service: 'a-*', eventsPerSecond: 10, bytesPerSecond: 2000 },
    { service: 'b', eventsPerSecond: undefined, bytesPerSecond: 5 },
    { service: 'c', eventsPerSecond: undefined, bytesPerSecond: undefined },
  ]);
  for (const wrong of ['a', 'a=0', 'a=1/', '=1', 'a=x'])
    assert.throws(() => parseSettings({ INGEST_SERVICE_QUOTAS: wrong }), SettingsError, wrong);
});
