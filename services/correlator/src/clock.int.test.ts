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

test('one event appended by a clock 400 days ahead: requests after it complete, and offsets are committed, also after a restart', async (t) => {
  using folder = temporaryFolder('clock');
  const settings = parseSettings({
    LOGLOOM_DATA: folder.path,
    LOG_PARTITIONS: '1',
    CORRELATION_IDLE_MS: '100',
    CORRELATION_GRACE_MS: '100',
  });
  await using connection = await connectLog(settings);
  const { log, serde } = connection;
  let n = 0;
  const append = (id: string): Promise<number[]> =>
    log.append(topics.events, [
      { partition: 0, key: id, value: serde.encode('LogEvent', logEvent(id, n++)) },
    ]);
  const appendAhead = async (id: string): Promise<void> => {
    const ahead = Date.now() + 400 * 86_400_000;
    t.mock.method(Date, 'now', () => ahead);
    await append(id);
    t.mock.restoreAll();
  };
  for (const round of [1, 2]) {
    const telemetry = createTelemetry('correlator', 'error');
    const stop = new AbortController();
    await append(`before-${round}`);
    await appendAhead(`ahead-${round}`);
    const running = runCorrelator({ settings, telemetry, signal: stop.signal, onReady: () => {} });
    try {
      await append(`after-${round}`);
      const deadline = Date.now() + 60_000;
      for (;;) {
        const [end] = await log.endOffsets(topics.events);
        const [commit] = await log.committed('correlator', topics.events);
        const [documents] = await log.endOffsets(topics.correlations);
        if (documents === 3 * round && commit?.offset === end) break;
        assert.ok(Date.now() < deadline, JSON.stringify({ end, commit, documents }));
        await Promise.race([sleep(50), running]);
      }
      const setbacks = await telemetry.registry
        .getSingleMetric('logloom_correlator_clock_setbacks_total')!
        .get();
      assert.ok(setbacks.values[0]!.value >= 1);
    } finally {
      stop.abort();
      await running;
    }
  }
  const records = await log.read(topics.correlations, 0, 0, 10);
  await serde.load(records.map(({ value }) => value));
  const documents = records.map(({ value }) => serde.decode(value).value as Correlation);
  assert.deepEqual(
    documents.map(({ correlationId }) => correlationId).sort(),
    [1, 2].flatMap((round) => [`after-${round}`, `ahead-${round}`, `before-${round}`]).sort(),
  );
  const late = documents.find(({ correlationId }) => correlationId === 'after-1')!;
  assert.ok(late.closedAt <= Date.now(), 'it says when it closed by the right clock');
});
