import { loadSettings } from '../settings.ts';
import { createTelemetry } from '@logloom/telemetry';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { settleSyslogPort } from './settle-syslog-port.ts';

const { logger } = createTelemetry('test', 'silent');

test('without SYSLOG_PORT, syslog gives way to a program that has its port', async () => {
  const settings = loadSettings({});
  const server = createServer();
  server.listen(settings.SYSLOG_PORT, settings.HOST);
  // That something else has it already serves as well.
  await once(server, 'listening').catch(() => {});
  assert.equal((await settleSyslogPort(settings, logger)).SYSLOG_PORT, 0);
  server.close();
});

test('a port that was asked for is insisted on', async () => {
  await using server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const settings = loadSettings({ SYSLOG_PORT: String(port) });
  assert.equal(await settleSyslogPort(settings, logger), settings);
});
