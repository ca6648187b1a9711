import { SqliteEventLog } from '@logloom/event-log';
import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { alertOf, topics, type Alert } from '@logloom/schemas';
import { correlationDocument, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AlertWriter } from './alert-writer.ts';

const rule = { name: 'hung', message: 'hung', severity: null, labels: {}, webhook: null };
const alertAt = (closeOffset: number): Alert =>
  alertOf(correlationDocument(`0-${closeOffset}`, { closeOffset }), 0, rule);

test('after a restart each alert is still written once, however much another writer has appended since', async () => {
  using folder = temporaryFolder('alert-writer');
  const log = new SqliteEventLog(folder.path);
  try {
    await log.createTopics([{ name: topics.alerts, partitions: 1 }]);
    const serde = await createSerde(createEmbeddedSchemaRegistry());
    const open = (): Promise<AlertWriter> => AlertWriter.open(log, serde, 0, 'e1');
    assert.equal(await (await open()).append([alertAt(3), alertAt(7)]), 2);
    const others = Array.from({ length: 2500 }, (_, i) =>
      serde.encode('Alert', { ...alertAt(1_000_000 + i), writer: 'book', state: 'resolved' }),
    );
    await log.append(
      topics.alerts,
      others.map((value) => ({ partition: 0, key: null, value })),
    );
    const reopened = await open();
    assert.equal(await reopened.append([alertAt(3), alertAt(7), alertAt(9)]), 1);
    assert.equal(await (await open()).append([alertAt(9)]), 0);
  } finally {
    await log.close();
  }
});
