import { createTelemetry } from '@logloom/telemetry';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../telemetry.ts';
import {
  alertRecord,
  anAlert,
  aSilence,
  placed,
  silenceRecord,
  windowRecord,
} from '../testing/alert-records.ts';
import { AlertBook } from './alert-book.ts';
import { observeAlerts } from './observe-alerts.ts';

test('the metrics show the book of its owner, and nothing once it is owned elsewhere', async () => {
  const metrics = createMetrics(createTelemetry('indexer', 'silent'));
  const observe = observeAlerts(metrics);
  const book = new AlertBook({ limitBytes: 6000 });
  const records = placed([
    aSilence(silenceRecord('s')),
    anAlert(alertRecord(1)),
    anAlert(windowRecord(1, 'firing')),
    ...[2, 3, 4].map((n) => anAlert(windowRecord(n, 'firing', { fingerprint: `f${n}` }))),
  ]);
  const changes = records.flatMap((record) => book.apply(record));
  observe(book, changes);
  const values = async (metric: { get: () => Promise<{ values: { value: number; labels: object }[] }> }) =>
    (await metric.get()).values
      .filter(({ value }) => value !== 0)
      .map(({ value, labels }) => [value, ...(Object.values(labels) as string[])].join(' '))
      .sort();
  const firing = book.alerts().length - 1;
  assert.deepEqual(await values(metrics.alerts), ['1 firing true', `${firing} firing false`].sort());
  assert.deepEqual(await values(metrics.alertChanges), ['1 state true', `${firing} state false`].sort());
  assert.deepEqual(await values(metrics.droppedAlerts), [String(4 - firing)]);
  assert.deepEqual(await values(metrics.alertBookBytes), [String(book.bytes)]);
  assert.ok(book.dropped > 0);
  observe(undefined, []);
  assert.deepEqual([await values(metrics.alerts), await values(metrics.alertBookBytes)], [[], []]);
  assert.deepEqual(await values(metrics.droppedAlerts), [String(4 - firing)], 'a counter never falls');
});
