import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pipeline } from '../../tests/pipeline/pipeline.ts';
import { clears, fires, firesDuring, keepDoing } from './testing/faults.ts';
import { FaultyProxy } from './testing/faulty-proxy.ts';
import { PrometheusServer, skipUnless } from './testing/prometheus-server.ts';

const skip = skipUnless(
  process.env['LOGLOOM_FULL'] === '1',
  'makes faults under Prometheus: it takes minutes',
);
const settings = {
  CANARY: 'on',
  CANARY_INTERVAL_MS: '500',
  CORRELATION_IDLE_MS: '500',
};

/** The one-process mode with a canary, under a Prometheus that has found it well. */
async function watched(
  lostAfterMs: number,
  owned: AsyncDisposableStack,
): Promise<[Pipeline, PrometheusServer]> {
  const pipeline = owned.use(
    await Pipeline.create({ ...settings, CANARY_LOST_AFTER_MS: String(lostAfterMs) }),
  );
  await pipeline.start();
  const prometheus = owned.use(await PrometheusServer.start(new URL(pipeline.viewersUrl).host));
  await untilWell(prometheus);
  return [pipeline, prometheus];
}

function untilWell(prometheus: PrometheusServer): Promise<void> {
  const arrived = 'sum(logloom_canary_expected_events_total) - sum(logloom_canary_lost_events_total) > 0';
  return eventually(
    'the canary is scraped, and well',
    async () => (await prometheus.query(arrived)).length > 0,
  );
}

/** Makes the store of its events wait. */
function lock({ dataFolder }: Pipeline): DatabaseSync {
  const database = new DatabaseSync(join(dataFolder, 'canary', 'catalog.db'), { timeout: 10_000 });
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

test("proxies before Logloom that do wrong: the canary's alerts fire, and clear", { skip }, async (t) => {
  using folder = temporaryFolder('canary-faults');
  const keys = join(folder.path, 'keys.yaml');
  writeFileSync(keys, `keys:\n  - { name: shop, sha256: ${'a'.repeat(64)} }\n`);
  await using pipeline = await Pipeline.create({
    ...settings,
    CANARY_LOST_AFTER_MS: '60000',
    INGEST_KEYS: keys,
  });
  using toIngest = await FaultyProxy.start(pipeline.ingestUrl);
  using toViewers = await FaultyProxy.start(pipeline.viewersUrl);
  pipeline.env['CANARY_INGEST_URL'] = toIngest.url;
  pipeline.env['CANARY_VIEWERS_URL'] = toViewers.url;
  const firstFault = toViewers.begin('refuse');
  await pipeline.start();
  await using prometheus = await PrometheusServer.start(new URL(pipeline.viewersUrl).host);

  await t.test('viewers are not let in, from the start', async () => {
    // It has never had a success.
    await fires(prometheus, 'LogloomCanarySilent');
    firstFault[Symbol.dispose]();
    await clears(prometheus, 'LogloomCanarySilent');
    await untilWell(prometheus);
  });

  await t.test('viewers are disconnected, and not let in', async () => {
    await firesDuring(prometheus, ['LogloomCanarySilent'], (faults) => {
      faults.use(toViewers.begin('refuse'));
    });
  });

  await t.test('requests are passed on twice', async () => {
    await firesDuring(prometheus, ['LogloomCanaryDuplicates'], (faults) => {
      faults.use(toIngest.begin('repeat'));
    });
    assert.deepEqual(
      await pathsOf(prometheus, 'logloom_canary_duplicated_events_total{receiver="json"} > 0'),
      ['correlated', 'searchable', 'sent'],
    );
  });

  await t.test('requests are passed on without their key', async () => {
    await firesDuring(prometheus, ['LogloomCanaryRefused'], (faults) => {
      faults.use(toIngest.begin('anonymous'));
    });
    const reasons = await prometheus.query('sum by (reason) (logloom_canary_refused_events_total) > 0');
    assert.deepEqual(
      reasons.map(({ metric }) => metric['reason']),
      ['401'],
    );
  });

  await t.test('the lines of a request change places', async () => {
    await firesDuring(prometheus, ['LogloomCanaryDisorder'], (faults) => {
      faults.use(toIngest.begin('reverse'));
    });
    assert.deepEqual(
      await pathsOf(prometheus, 'logloom_canary_disordered_events_total{receiver="json"} > 0'),
      ['searchable', 'sent'],
    );
  });
});

async function pathsOf(prometheus: PrometheusServer, expression: string): Promise<string[]> {
  const samples = await prometheus.query(expression);
  return [...new Set(samples.map(({ metric }) => metric['path']!))].sort();
}
