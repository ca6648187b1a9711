import { eventually } from '@logloom/testing';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Pipeline } from '../../tests/pipeline/pipeline.ts';
import { firesDuring } from './testing/faults.ts';
import { hasPrometheus, PrometheusServer } from './testing/prometheus-server.ts';

const skip =
  process.env['LOGLOOM_FULL'] !== '1'
    ? 'LOGLOOM_FULL=1 makes faults under Prometheus: it takes minutes'
    : hasPrometheus
      ? false
      : 'prometheus is not installed (Debian: prometheus)';

test(
  "the canary's alerts fire on a real Prometheus while its events are lost, and clear",
  { skip },
  async () => {
    await using pipeline = await Pipeline.create({
      CANARY: 'on',
      CANARY_INTERVAL_MS: '500',
      CANARY_LOST_AFTER_MS: '2000',
      CORRELATION_IDLE_MS: '500',
    });
    await pipeline.start();
    await using prometheus = await PrometheusServer.start(new URL(pipeline.viewersUrl).host);
    await eventually(
      'the canary is scraped, and well',
      async () =>
        (
          await prometheus.query(
            'sum(logloom_canary_expected_events_total) - sum(logloom_canary_lost_events_total) > 0',
          )
        ).length > 0,
    );
    await firesDuring(prometheus, ['LogloomCanaryLossBudget'], (faults) => {
      const lock = new DatabaseSync(join(pipeline.dataFolder, 'canary', 'search.db'), { timeout: 10_000 });
      lock.exec('BEGIN IMMEDIATE');
      faults.defer(() => lock.close());
    });
  },
);
