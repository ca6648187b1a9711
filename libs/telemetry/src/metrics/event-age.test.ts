import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTelemetry } from '../telemetry.ts';
import { parseMetrics } from '../testing/metrics-text.ts';
import { EventAges } from './event-age.ts';

async function scrape(ages: (nowMs: number) => { at: number; records: number[] }[], nowMs: number) {
  const telemetry = createTelemetry('indexer', 'silent');
  let clock = nowMs;
  const measured = new EventAges(telemetry, 'searchable', () => clock);
  for (const { at, records } of ages(nowMs)) {
    clock = at;
    measured.addRecords(records.map((timestampMs) => ({ timestampMs })));
  }
  const families = parseMetrics(await telemetry.registry.metrics());
  const age = families.get('logloom_event_age_seconds')!.samples;
  const value = (name: string, le?: string): number =>
    age.find(
      (sample) => sample.name.endsWith(name) && (le === undefined || sample.labels.includes(`le="${le}"`)),
    )!.value;
  return { value, ahead: families.get('logloom_log_clock_ahead_seconds')!.samples[0]!.value };
}

test('every record of a batch counts with the age of its own append', async () => {
  const { value, ahead } = await scrape(
    (now) => [{ at: now, records: [now - 7000, now - 7000, now - 300, now - 20, now - 20, now - 20] }],
    1_000_000,
  );
  assert.equal(value('_count'), 6);
  assert.equal(value('_bucket', '0.025'), 3);
  assert.equal(value('_bucket', '0.5'), 4);
  assert.equal(value('_bucket', '5'), 4);
  assert.equal(value('_bucket', '10'), 6);
  assert.equal(Math.round(value('_sum') * 1000), 14_360);
  assert.equal(ahead, 0);
});

test('an age is never negative: a clock of the log that is ahead is told instead', async () => {
  const skewed = await scrape((now) => [{ at: now, records: [now + 90_000, now + 90_000] }], 1_000_000);
  assert.equal(skewed.value('_sum'), 0);
  assert.equal(skewed.value('_bucket', '0.005'), 2);
  assert.equal(skewed.ahead, 90);
  const settled = await scrape(
    (now) => [
      { at: now, records: [now + 90_000] },
      { at: now + 100_000, records: [now + 99_000] },
    ],
    1_000_000,
  );
  assert.equal(settled.ahead, 0);
});
