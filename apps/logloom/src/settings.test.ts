import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { settings as correlator } from '@logloom/correlator/settings';
import { settings as fanout } from '@logloom/fanout/settings';
import { settings as indexer } from '@logloom/indexer/settings';
import { settings as ingest } from '@logloom/ingest/settings';
import { secretsOf, SettingsError } from '@logloom/settings';
import { temporaryFolder } from '@logloom/testing';
import { explain } from './cli.ts';
import { allSettings, describeSettings, loadSettings, parseSettings } from './settings.ts';

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
  const folder = temporaryFolder('settings').path;
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

/** Bounds of texts that are read later: a file, or a list of any texts. */
const readLater = /file|^comma-separated$|PEM/i;

test('a wrong value is answered with the name, what is allowed, and no secret', () => {
  const wrong = [
    'hunter2 http:hunter2',
    '-1',
    '1.5',
    '99999999999999999999',
    '+=(hunter2',
    'hunter2://u:hunter2@a',
  ];
  const bounded = describeSettings().filter(({ bounds }) => bounds !== undefined && !readLater.test(bounds));
  assert.ok(bounded.length > 60);
  for (const { name, bounds, secrecy } of bounded) {
    const problems = wrong.flatMap((value) => problemsOf({ [name]: value }));
    assert.notEqual(problems.length, 0, `${name} takes any value`);
    for (const problem of problems) {
      assert.ok(problem.startsWith(`${name}=`), problem);
      assert.ok(problem.includes(bounds!), `${problem} lacks ${bounds}`);
      assert.doesNotMatch(problem, /invalid|expected|received|too (small|big)/i);
      if (secrecy !== 'none') assert.doesNotMatch(problem, /hunter2/);
    }
  }
  const secrets = describeSettings().filter(({ secrecy }) => secrecy === 'secret');
  for (const { name } of secrets)
    for (const problem of problemsOf({ [name]: 'hunter2' })) assert.doesNotMatch(problem, /hunter2/);
});

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

test('no error that a command ends with shows a secret of the environment', () => {
  const env = { MONGODB_URL: 'mongodb://ada:hunter2@a:1/logs', CURSOR_KEY: 'k'.repeat(32) };
  const { message } = explain(
    Object.assign(new Error(`cannot use hunter2, ${'k'.repeat(32)}`), { code: 'x' }),
    env,
  );
  assert.equal(message, 'cannot use ***, ***');
});

const foreign = {
  KAFKA_HOME: '/opt/kafka',
  KAFKA_HEAP_OPTS: '-Xmx1g',
  REDIS_PORT: 'tcp://10.0.0.9:6379',
  REDIS_SERVICE_HOST: '10.0.0.9',
  REDIS_PORT_6379_TCP_ADDR: '10.0.0.9',
  ELASTICSEARCH_USERNAME: 'elastic',
  LOG_FORMAT: 'json',
  HOSTNAME: 'pod-1',
  // A service that is called as one of ours, in Kubernetes.
  LIVE_PORT: 'tcp://10.0.0.7:4380',
  LIVE_PORT_4380_TCP: 'tcp://10.0.0.7:4380',
  LIVE_SERVICE_PORT_HTTP: '4380',
  INGEST_SERVICE_HOST: '10.0.0.8',
};

test('variables of others stop nothing, also those that Kubernetes adds for a service of our name', () => {
  assert.equal(parseSettings(foreign).LIVE_PORT, 4380);
});

test('a misspelled name stops the start with the nearest one', () => {
  for (const [name, nearest] of [
    ['LIVE_WORKER', 'LIVE_WORKERS'],
    ['INGEST_PROT', 'INGEST_PORT'],
    ['CORRELATION_IDLE_MILLIS', 'CORRELATION_IDLE_MS'],
    ['KAFKA_BROKER', 'KAFKA_BROKERS'],
    ['REDIS_URI', 'REDIS_URL'],
    ['LOGLOOM_DATE', 'LOGLOOM_DATA'],
    ['SEARCH_RETENTION', 'SEARCH_RETENTION_MS'],
    ['SYSLOG_SOMETHING_ELSE', undefined],
  ] as const) {
    const problems = problemsOf({ ...foreign, [name]: '1' });
    if (nearest === undefined) assert.match(problems.join(), new RegExp(`^${name}: .* --help`));
    else assert.deepEqual(problems, [`${name}: there is no such setting; did you mean ${nearest}?`]);
  }
});

test('a service on its own does not mind the settings of the others', () => {
  for (const set of [ingest, correlator, indexer, fanout]) {
    const own = new Set(set.describe().map(({ name }) => name));
    const env = describeSettings().flatMap(({ name, default: fallback = '' }) =>
      own.has(name) ? (fallback === '' ? [] : [[name, fallback]]) : [[name, 'x']],
    );
    set.parse(Object.fromEntries(env) as Record<string, string>);
  }
});

test('a blank value stops the start', () => {
  assert.deepEqual(problemsOf({ LIVE_WORKERS: '', REDIS_URL: '  ' }), [
    'REDIS_URL is blank: set a value, or remove it',
    'LIVE_WORKERS is blank: set a value, or remove it',
  ]);
});

test('a secret may be in a file; config says where each value came from, and hides secrets', () => {
  const folder = temporaryFolder('settings').path;
  try {
    const file = join(folder, 'mongodb');
    writeFileSync(file, 'mongodb://ada:hunter2@a:1/logs\n');
    writeFileSync(join(folder, '.env'), 'LIVE_WORKERS=3\n');
    const env = { MONGODB_URL_FILE: file, LOGLOOM_KEY: 'hunter3', INGEST_PORT: '5000' };
    assert.equal(parseSettings(env).MONGODB_URL, 'mongodb://ada:hunter2@a:1/logs');
    const inForce = new Map(
      allSettings
        .inForce(env, join(folder, '.env'))
        .map(({ name, value, origin }) => [name, [value, origin]]),
    );
    assert.deepEqual(inForce.get('MONGODB_URL'), ['mongodb://***@a:1/logs', 'file']);
    assert.deepEqual(inForce.get('LOGLOOM_KEY'), ['***', 'environment']);
    assert.deepEqual(inForce.get('INGEST_PORT'), ['5000', 'environment']);
    assert.deepEqual(inForce.get('LIVE_WORKERS'), ['3', '.env']);
    assert.deepEqual(inForce.get('LIVE_PORT'), ['4380', 'default']);
    assert.match(problemsOf({ ...env, MONGODB_URL: 'mongodb://b' }).join(), /set only one of them/);
    assert.match(problemsOf({ REDIS_URL_FILE: join(folder, 'none') }).join(), /REDIS_URL_FILE=.*ENOENT/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    parseSettings(env);
    return [];
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    return error.problems;
  }
}
