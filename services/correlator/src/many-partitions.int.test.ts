import { partitionOf } from '@logloom/event-log';
import { connectLog } from '@logloom/runtime';
import { topics, type Correlation } from '@logloom/schemas';
import { parseSettings } from './settings.ts';
import { createTelemetry } from '@logloom/telemetry';
import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCorrelator } from './run-correlator.ts';
import { logEvent } from './testing/correlator-fixtures.ts';

const partitions = 512;

test('512 partitions: a first start and a second one, and each partition closes its requests', async () => {
  using folder = temporaryFolder('partitions');
  const settings = parseSettings({
    LOGLOOM_DATA: folder.path,
    LOG_PARTITIONS: String(partitions),
    CORRELATION_IDLE_MS: '100',
  });
  await using connection = await connectLog(settings);
  const { log, serde } = connection;
  const written = async (): Promise<number> =>
    (await log.endOffsets(topics.correlations)).reduce((sum, end) => sum + end, 0);
  for (let start = 1; start <= 2; start++) {
    const ids = Array.from({ length: 100 }, (_, n) => `request-${start}-${n}`);
    await log.append(
      topics.events,
      ids.map((id, n) => ({
        partition: partitionOf(id, partitions),
        key: id,
        value: serde.encode('LogEvent', logEvent(id, start * 1000 + n)),
      })),
    );
    const stop = new AbortController();
    const telemetry = createTelemetry('correlator', 'error');
    const running = runCorrelator({ settings, telemetry, signal: stop.signal, onReady: () => {} });
    try {
      const deadline = Date.now() + 120_000;
      while ((await written()) < start * ids.length) {
        assert.ok(Date.now() < deadline, `${await written()} documents`);
        await Promise.race([sleep(100), running]);
      }
    } finally {
      stop.abort();
      await running;
    }
  }
  const documents: Correlation[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const records = await log.read(topics.correlations, partition, 0, 1000);
    await serde.load(records.map(({ value }) => value));
    documents.push(...records.map(({ value }) => serde.decode(value).value as Correlation));
  }
  assert.equal(new Set(documents.map(({ correlationId }) => correlationId)).size, 200);
  assert.equal(documents.length, 200);
});
