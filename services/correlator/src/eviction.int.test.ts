import { connectLog } from '@logloom/runtime';
import { partitionOf } from '@logloom/event-log';
import { topics, type Correlation } from '@logloom/schemas';
import { parseSettings } from './settings.ts';
import { createTelemetry } from '@logloom/telemetry';
import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCorrelator } from './run-correlator.ts';

const maxSessions = 20;
const requests = 100;

test('more open sessions than may be: the longest idle are closed early, each counted, and no event is lost', async () => {
  using folder = temporaryFolder('eviction');
  const settings = parseSettings({
    LOGLOOM_DATA: folder.path,
    LOG_PARTITIONS: '1',
    CORRELATION_MAX_GROUPS: String(maxSessions),
    CORRELATION_IDLE_MS: '600000',
    CORRELATION_MAX_MS: '600000',
  });
  const telemetry = createTelemetry('correlator', 'error');
  await using connection = await connectLog(settings);
  const { log, serde } = connection;
  const ids = Array.from({ length: requests }, (_, n) => `request-${n}`);
  await log.append(
    topics.events,
    ids.map((correlationId, n) => ({
      partition: partitionOf(correlationId, 1),
      key: correlationId,
      value: serde.encode('LogEvent', {
        source: { kind: 'http', topic: 'test', partition: 0, offset: n, index: 0 },
        timestamp: n,
        receivedAt: 0,
        level: 'info',
        service: 'web',
        host: null,
        message: 'm',
        correlationId,
        correlationKind: 'requestId',
        traceId: null,
        spanId: null,
        attributes: '{}',
      }),
    })),
  );
  const metric = async (name: string, labels: object): Promise<number | undefined> => {
    const { values } = (await telemetry.registry.getSingleMetric(name)?.get()) ?? { values: [] };
    const matches = (given: object): boolean =>
      Object.entries(labels).every(([key, value]) => (given as Record<string, unknown>)[key] === value);
    return values.find((each) => matches(each.labels))?.value;
  };
  const stop = new AbortController();
  const running = runCorrelator({ settings, telemetry, signal: stop.signal, onReady: () => {} });
  try {
    const evicted = (): Promise<number | undefined> =>
      metric('logloom_correlator_documents_total', { reason: 'evicted' });
    for (const deadline = Date.now() + 60_000; (await evicted()) !== requests - maxSessions;) {
      assert.ok(Date.now() < deadline, `${await evicted()} evicted`);
      await sleep(20);
    }
    assert.equal(await metric('logloom_correlator_open_groups', { partition: '0' }), maxSessions);
    const records = await log.read(topics.correlations, 0, 0, 1000);
    await serde.load(records.map(({ value }) => value));
    const documents = records.map(({ value }) => serde.decode(value).value as Correlation);
    assert.deepEqual(
      documents.map(({ correlationId, closeReason }) => [correlationId, closeReason]),
      ids.slice(0, requests - maxSessions).map((id) => [id, 'evicted']),
    );
  } finally {
    stop.abort();
    await running;
  }
  const gone = await metric('logloom_correlator_open_groups', { partition: '0' });
  assert.equal(gone, undefined, 'a partition that is given up has no series');
});
