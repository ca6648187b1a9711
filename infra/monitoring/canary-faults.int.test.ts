import { eventually } from '@logloom/testing';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Pipeline } from '../../tests/pipeline/pipeline.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { firesDuring, keepDoing } from './testing/faults.ts';
import { PrometheusServer, skipUnless } from './testing/prometheus-server.ts';

const skip = skipUnless(
  process.env['LOGLOOM_FULL'] === '1',
  'makes faults under Prometheus: it takes minutes',
);

/** The one-process mode with a canary, under a Prometheus that has found it well. */
async function watched(
  lostAfterMs: number,
  owned: AsyncDisposableStack,
): Promise<[Pipeline, PrometheusServer]> {
  const pipeline = owned.use(
    await Pipeline.create({
      CANARY: 'on',
      CANARY_INTERVAL_MS: '500',
      CANARY_LOST_AFTER_MS: String(lostAfterMs),
      CORRELATION_IDLE_MS: '500',
    }),
  );
  await pipeline.start();
  const prometheus = owned.use(await PrometheusServer.start(new URL(pipeline.viewersUrl).host));
  const arrived = 'sum(logloom_canary_expected_events_total) - sum(logloom_canary_lost_events_total) > 0';
  await eventually(
    'the canary is scraped, and well',
    async () => (await prometheus.query(arrived)).length > 0,
  );
  return [pipeline, prometheus];
}

/** Makes the store of its events wait. */
function lock({ dataFolder }: Pipeline): DatabaseSync {
  const database = new DatabaseSync(join(dataFolder, 'canary', 'search.db'), { timeout: 10_000 });
  database.exec('BEGIN IMMEDIATE');
  return database;
}

test("the canary's alert about losses fires on a real Prometheus, and clears", { skip }, async () => {
  await using owned = new AsyncDisposableStack();
  const [pipeline, prometheus] = await watched(2_000, owned);
  await firesDuring(prometheus, ['LogloomCanaryLossBudget'], (faults) => {
    const locked = lock(pipeline);
    faults.defer(() => locked.close());
  });
});

test("the canary's alert about ages fires on a real Prometheus, and clears", { skip }, async () => {
  await using owned = new AsyncDisposableStack();
  const [pipeline, prometheus] = await watched(60_000, owned);
  await firesDuring(prometheus, ['LogloomCanaryAgeBudget'], (faults) => {
    // Longer than the objective, and shorter than SQLite waits.
    const holdMs = 7_000;
    faults.use(
      keepDoing(async () => {
        const locked = lock(pipeline);
        await sleep(holdMs);
        locked.close();
      }, 1_000),
    );
  });
});
