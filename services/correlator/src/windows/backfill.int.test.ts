import { connectLog } from '@logloom/runtime';
import { backfillHeader, topics, type Alert } from '@logloom/schemas';
import { createTelemetry } from '@logloom/telemetry';
import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCorrelator } from '../run-correlator.ts';
import { parseSettings } from '../settings.ts';
import { logEvent } from '../testing/correlator-fixtures.ts';

const rules = `rules:
  - { name: events, when: level:error, by: [service], window: 2s, if: count >= 3 }
  - { name: requests, of: requests, when: errorCount:>0, by: [service], window: 2s, if: count >= 3 }
`;

test('rules over many events and requests do not count a backfill: it says nothing about now', async () => {
  using folder = temporaryFolder('window-backfill');
  const file = join(folder.path, 'rules.yaml');
  writeFileSync(file, rules);
  const settings = parseSettings({
    LOGLOOM_DATA: folder.path,
    LOG_PARTITIONS: '1',
    CORRELATION_RULES: file,
    CORRELATION_IDLE_MS: '200',
    CORRELATION_BACKFILL_IDLE_MS: '200',
  });
  await using connection = await connectLog(settings);
  const { log, serde } = connection;
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  const running = runCorrelator({
    settings,
    telemetry: createTelemetry('correlator', 'error'),
    signal: stop.signal,
    onReady: ready.resolve,
  });
  let n = 0;
  const append = (service: string, headers: Record<string, string>): Promise<number[]> =>
    log.append(
      topics.events,
      Array.from({ length: 5 }, (_, i) => {
        const id = `${service}-${i}`;
        const event = logEvent(id, n++, { service, level: 'error', timestamp: Date.now() * 1000 });
        return { partition: 0, key: id, value: serde.encode('LogEvent', event), headers };
      }),
    );
  try {
    await ready.promise;
    await append('earlier', { [backfillHeader]: 'true' });
    await append('now', {});
    const fired = async (): Promise<Map<string, Set<string>>> => {
      const services = new Map<string, Set<string>>();
      const records = await log.read(topics.alerts, 0, 0, 1000);
      await serde.load(records.map(({ value }) => value));
      for (const { value } of records) {
        const { rule, key } = serde.decode(value).value as Alert;
        services.set(rule, (services.get(rule) ?? new Set()).add(key['service'] ?? ''));
      }
      return services;
    };
    await eventually('both rules fire', async () => (await fired()).size === 2);
    await eventually('the requests of the backfill are written', async () => {
      const [end] = await log.endOffsets(topics.correlations);
      return end === 10;
    });
    // What is counted with them is judged as well once these fire again.
    await append('then', {});
    await eventually('the next ones fire', async () =>
      [...(await fired()).values()].every((services) => services.has('then')),
    );
    assert.deepEqual(
      [...(await fired())].sort(([a], [b]) => (a < b ? -1 : 1)),
      [
        ['events', new Set(['now', 'then'])],
        ['requests', new Set(['now', 'then'])],
      ],
    );
  } finally {
    stop.abort();
    await running;
  }
});
