import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DeploymentError, parseDeployment } from './deployment.ts';

const folder = join(import.meta.dirname, 'examples');
const plain = readFileSync(join(folder, 'plain-processes.yaml'), 'utf8');

test('the examples are deployments', () => {
  for (const file of globSync('*.yaml', { cwd: folder })) {
    const { instances } = parseDeployment(readFileSync(join(folder, file), 'utf8'));
    assert.equal(instances.length, 8, file);
  }
});

test('an instance has the name of its service, a number where there are several, or the name that it is given', () => {
  const text = plain.replace(
    /(blue:[^]*?fanout:) .*/,
    `$1
      - { healthUrl: 'http://127.0.0.1:9104', url: 'http://127.0.0.1:4380' }
      - { healthUrl: 'http://127.0.0.1:9105', url: 'http://127.0.0.1:4381', metricsUrl: 'http://127.0.0.1:9999/metrics' }
      - { name: third, healthUrl: 'http://127.0.0.1:9106', url: 'http://127.0.0.1:4382/' }`,
  );
  const blue = parseDeployment(text).instances.filter(({ release }) => release === 'blue');
  assert.deepEqual(
    blue.map(({ name, url, metricsUrl }) => [name, url, metricsUrl]),
    [
      ['fanout-1', 'http://127.0.0.1:4380', 'http://127.0.0.1:9104/metrics'],
      ['fanout-2', 'http://127.0.0.1:4381', 'http://127.0.0.1:9999/metrics'],
      ['third', 'http://127.0.0.1:4382', 'http://127.0.0.1:9106/metrics'],
      ['indexer', 'http://127.0.0.1:9103', 'http://127.0.0.1:9103/metrics'],
      ['correlator', undefined, 'http://127.0.0.1:9102/metrics'],
      ['ingest', 'http://127.0.0.1:4318', 'http://127.0.0.1:9101/metrics'],
    ],
  );
});

test('everything that is wrong is told at once', () => {
  const text = plain
    .replace('start:', 'begin:')
    .replace('9202', '99999')
    .replace(/^stop: .*$/m, 'stopSeconds: -1');
  assert.throws(
    () => parseDeployment(text),
    (error: Error) => {
      assert.ok(error instanceof DeploymentError);
      for (const part of [/begin/, /start/, /stop\b/, /stopSeconds/, /green\.correlator/])
        assert.match(error.message, part);
      return true;
    },
  );
  assert.throws(() => parseDeployment('a: ['), DeploymentError);
  assert.throws(
    () => parseDeployment(plain.replace('9201', '9101')),
    /127\.0\.0\.1:9101 is the healthUrl of blue ingest and of green ingest/,
  );
});
