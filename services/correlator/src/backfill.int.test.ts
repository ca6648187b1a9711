import { connectLog } from '@logloom/runtime';
import { backfillHeader, memberOffsets, topics, type Correlation } from '@logloom/schemas';
import { createTelemetry } from '@logloom/telemetry';
import { captureLog, eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCorrelator } from './run-correlator.ts';
import { parseSettings } from './settings.ts';
import { logEvent } from './testing/correlator-fixtures.ts';

const budgetBytes = 2 ** 20;
const requests = 3000;

test('a backfill beyond its memory closes what was idle longest, says so, and leaves a live request alone', async () => {
  using folder = temporaryFolder('backfill-budget');
  const settings = parseSettings({
    LOGLOOM_DATA: folder.path,
    LOG_PARTITIONS: '1',
    CORRELATION_BACKFILL_MEMORY_BYTES: String(budgetBytes),
    CORRELATION_IDLE_MS: '600000',
    CORRELATION_MAX_MS: '600000',
  });
  await using connection = await connectLog(settings);
  const { log, serde } = connection;
  let n = 0;
  const append = (ids: readonly string[], headers: Record<string, string>): Promise<number[]> =>
    log.append(
      topics.events,
      ids.map((id) => ({
        partition: 0,
        key: id,
        value: serde.encode('LogEvent', logEvent(id, n++)),
        headers,
      })),
    );
  await append(['live'], {});
  const ids = Array.from({ length: requests }, (_, i) => `request-${i}`);
  await append(ids, { [backfillHeader]: 'true' });
  const telemetry = createTelemetry('correlator', 'error');
  const logger = captureLog();
  const counted = async (name: string): Promise<number> =>
    (await telemetry.registry.getSingleMetric(name)!.get()).values[0]?.value ?? 0;
  const stop = new AbortController();
  const running = runCorrelator({
    settings,
    telemetry: { ...telemetry, logger: logger as never },
    signal: stop.signal,
    onReady: () => {},
  });
  try {
    await eventually('all read', async () => (await counted('logloom_correlator_events_total')) > requests);
    const records = await log.read(topics.correlations, 0, 0, 2 * requests);
    await serde.load(records.map(({ value }) => value));
    const documents = records.map(({ value }) => serde.decode(value).value as Correlation);
    assert.ok(documents.length > requests / 2, `${documents.length} evicted`);
    assert.deepEqual(
      documents.map((d) => [d.correlationId, d.closeReason, d.backfill, memberOffsets(d).length]),
      ids.slice(0, documents.length).map((id) => [id, 'evicted', true, 1]),
    );
    assert.equal(await counted('logloom_correlator_backfill_short_of_memory_total'), documents.length);
    assert.equal(await counted('logloom_correlator_short_of_memory_total'), 0);
    const held = await counted('logloom_correlator_backfill_bytes');
    assert.ok(held > budgetBytes / 2 && held < budgetBytes + 10_000, `${held} bytes`);
    assert.equal(
      logger.lines.filter(({ message }) => message?.startsWith('requests of a backfill exceed their memory'))
        .length,
      1,
    );
  } finally {
    stop.abort();
    await running;
  }
});
