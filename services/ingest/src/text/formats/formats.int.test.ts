import { SqliteEventLog } from '@logloom/event-log';
import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { topics, type LogEvent } from '@logloom/schemas';
import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { freeSyslogPort, startForTest } from '../../testing/ingest-harness.ts';

const format = `formats:
  - name: pay
    pattern: 'PAY %{TIME} %{LEVEL:level} %{NOTSPACE:requestId} %{GREEDYDATA:message}'
    service: payments
`;
const line = 'PAY 2025-03-14T09:26:53Z ERROR r-1 refused';

test('formats of FORMATS read the texts of every receiver', async () => {
  const { path: folder } = temporaryFolder('formats');
  const file = join(folder, 'formats.yaml');
  writeFileSync(file, format);
  const syslogPort = await freeSyslogPort();
  const service = await startForTest(folder, {
    FORMATS: file,
    SYSLOG_PORT: String(syslogPort),
    LOG_PARTITIONS: '1',
  });
  const post = async (path: string, body: unknown): Promise<void> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(service.address + path, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    assert.ok(response.ok, `${path}: ${response.status} ${await response.text()}`);
  };
  await post('/ingest', { message: line, from: 'ingest' });
  await post('/ingest', { log: `${line}\n`, stream: 'stdout', from: 'a shipper' });
  await post('/loki/api/v1/push', {
    streams: [{ stream: { from: 'loki' }, values: [[String(Date.now() * 1e6), line]] }],
  });
  const socket = connect(syslogPort, '127.0.0.1').resume();
  socket.end(`<14>Oct 11 22:14:15 node-1 app: ${line}\n`);
  await once(socket, 'close');
  const log = new SqliteEventLog(join(folder, 'log'));
  const serde = await createSerde(createEmbeddedSchemaRegistry());
  const events: LogEvent[] = [];
  await eventually('all four events', async () => {
    events.length = 0;
    const records = await log.read(topics.events, 0, 0, 100);
    await serde.load(records.map(({ value }) => value));
    for (const { value } of records) {
      const decoded = serde.decode(value);
      if (decoded.name === 'LogEvent') events.push(decoded.value);
    }
    return events.length === 4;
  });
  for (const event of events) {
    assert.deepEqual(
      [event.level, event.correlationId, event.message.trim()],
      ['error', 'r-1', 'refused'],
      JSON.stringify(event),
    );
  }
  await log.close();
  await service.drain();
});

test('a wrong file stops the start, with every problem of it', async () => {
  const { path: folder } = temporaryFolder('formats');
  const file = join(folder, 'formats.yaml');
  writeFileSync(file, "formats: [{ name: a, pattern: '%{NOPE}' }]");
  await assert.rejects(
    startForTest(folder, { FORMATS: file }),
    /FORMATS: .*:1:32: a: the type NOPE is not known/,
  );
});
