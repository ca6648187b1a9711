import { registerConsole } from '@logloom/console';
import { registerHealth } from '@logloom/runtime';
import { parseSettings } from '../../apps/logloom/src/settings.ts';
import fastify from 'fastify';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const nginx = readFileSync(join(import.meta.dirname, 'nginx.conf'), 'utf8');

test('the reverse proxy sends the console with the headers of the one-process mode', async () => {
  await using app = fastify();
  await registerConsole(app);
  const { headers, statusCode } = await app.inject('/');
  assert.equal(statusCode, 200);
  const added = [...nginx.matchAll(/add_header (\S+) (?:"([^"]*)"|(\S+));/g)];
  assert.equal(added.length, 5);
  for (const [, name, quoted, plain] of added)
    assert.equal(headers[name!.toLowerCase()], quoted ?? plain, name);
});

test('the reverse proxy knows where the services are', () => {
  const main = readFileSync(join(import.meta.dirname, '../../services/indexer/src/main.ts'), 'utf8');
  const indexerPort = /\b91\d\d\b/.exec(main)![0];
  const upstreams = [...nginx.matchAll(/http:\/\/([a-z]+:\d+)/g)].map((match) => match[1]);
  assert.deepEqual(upstreams, [`fanout:${parseSettings({}).LIVE_PORT}`, `indexer:${indexerPort}`]);
});

test('a service is ready at the path that the health checks ask', async () => {
  await using app = fastify();
  const health = { ready: false };
  registerHealth(app, health);
  assert.equal((await app.inject('/health/ready')).statusCode, 503);
  health.ready = true;
  assert.equal((await app.inject('/health/ready')).statusCode, 200);
});
