import { createSqliteJobRecords, openJobQueue, openJobRecords } from '@logloom/job-queue';
import '@logloom/runtime/testing/hold-contract';
import { createTelemetry } from '@logloom/telemetry';
import { eventually } from '@logloom/testing';
import fastify from 'fastify';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, describe, test } from 'node:test';
import { startStack } from '../../../../infra/local/start-stack.ts';
import { logEvent, openRig } from '../testing/jobs-rig.ts';
import { registerJobs } from './jobs-api.ts';
import { runJobs } from './run-jobs.ts';

const stack = await startStack({ only: ['redis'] });
after(() => stack.stop());

const queues = [
  { name: 'the embedded queue', redisUrl: undefined, skip: false },
  { name: 'Redis', redisUrl: stack.env['REDIS_URL'], skip: stack.missing.redis ?? false },
];

for (const { name, redisUrl, skip } of queues) {
  describe(`jobs on ${name}`, { skip }, () => {
    test('are ordered, worked, and tell their result; a saved filter is evaluated', async () => {
      await using rig = await openRig();
      const { logger } = createTelemetry('indexer', 'error');
      const queue = await openJobQueue({ redisUrl, folder: `${rig.folder}/queue` });
      const records = await openJobRecords({ redisUrl, folder: `${rig.folder}/queue` });
      const deps = { ...rig, queue, records, logger, nowMs: Date.now };
      const app = fastify();
      registerJobs(app, deps);
      const stop = new AbortController();
      const settings = { ...noSettings, SEARCH_RETENTION_MS: 60_000 };
      await rig.search.index(await rig.append([logEvent(1)]));
      const running = runJobs({ ...deps, evaluating: deps.search, settings }, stop.signal);
      try {
        const events = Array.from({ length: 20 }, (_, n) =>
          logEvent(10 + n, { timestamp: Date.now() * 1000 }),
        );
        await rig.search.index(await rig.append(events));
        const saved = await app.inject({
          method: 'POST',
          url: '/saved-filters',
          payload: { name: 'n', filter: 'service:shop', everyMs: 1000, threshold: 5 },
        });
        const { id } = saved.json<{ id: string }>();
        await eventually('20 events are indexed', async () => (await rig.search.counts()).events === 20);
        const ordered = await app.inject({ method: 'POST', url: '/jobs/rebuild', payload: {} });
        const job = `/jobs/${ordered.json<{ id: string }>().id}`;
        await eventually(
          'the rebuild has completed',
          async () => (await app.inject(job)).json<{ state: string }>().state === 'completed',
        );
        const { result } = (await app.inject(job)).json<{ result: { events: number } }>();
        // The log still has the one that retention has removed; it stays removed.
        assert.equal(result.events, 20);
        await eventually('the saved filter was evaluated', async () => {
          const { lastRun } = (await app.inject(`/saved-filters/${id}`)).json<{ lastRun?: object }>();
          return lastRun !== undefined;
        });
        const removed = await app.inject({ method: 'DELETE', url: `/saved-filters/${id}` });
        assert.equal(removed.statusCode, 204);
      } finally {
        stop.abort();
        await running;
        await app.close();
        await Promise.all([queue.close(), records.close()]);
      }
    });
  });
}

test(
  'Redis that is emptied under a running service has its saved filters, schedules and ordered jobs again',
  { skip: stack.missing.redis ?? false },
  async () => {
    await using rig = await openRig();
    const redisUrl = stack.env['REDIS_URL']!;
    const queue = await openJobQueue({ redisUrl, folder: rig.folder });
    const records = await openJobRecords({ redisUrl, folder: rig.folder });
    const backup = createSqliteJobRecords(`${rig.folder}/copy`);
    const held = Promise.withResolvers<void>();
    let rebuilds = 0;
    const search = {
      ...rig.search,
      // The first completes; the second is at work, and the third waits for it, when Redis is emptied.
      rebuild: async () => {
        if (rebuilds++ > 0) await held.promise;
        return rig.search.rebuild();
      },
    };
    const deps = { ...rig, search, queue, records, recordsBackup: backup, nowMs: Date.now };
    const app = fastify();
    registerJobs(app, deps);
    const stop = new AbortController();
    const { logger } = createTelemetry('indexer', 'silent');
    const running = runJobs({ ...deps, logger, evaluating: rig.search, settings: noSettings }, stop.signal);
    try {
      const saved = await app.inject({
        method: 'POST',
        url: '/saved-filters',
        payload: { name: 'n', filter: 'service:shop', everyMs: 1000 },
      });
      const { id } = saved.json<{ id: string }>();
      const order = async (): Promise<string> =>
        (await app.inject({ method: 'POST', url: '/jobs/rebuild', payload: {} })).json<{ id: string }>().id;
      const stateOf = async (job: string): Promise<string | undefined> =>
        (await app.inject(`/jobs/${job}`)).json<{ state?: string }>().state;
      const completed = await order();
      await eventually('the first rebuild', async () => (await stateOf(completed)) === 'completed');
      const waiting = [await order(), await order()];
      await eventually('the backup has the orders that are open', async () => {
        const ids = (await backup.list('ordered-job')).map(({ id: job }) => job);
        return ids.sort().join() === waiting.toSorted().join();
      });
      await eventually(
        'the backup has the saved filter',
        async () => (await backup.list('saved-filter')).length === 1,
      );
      await eventually(
        'the backup has the mark of the store',
        async () => (await backup.list('store')).length === 1,
      );
      await flush(redisUrl);
      await eventually(
        'the saved filter is back',
        async () => (await app.inject(`/saved-filters/${id}`)).statusCode === 200,
      );
      const lastRun = async () =>
        (await app.inject(`/saved-filters/${id}`)).json<{ lastRun?: { at: string } }>().lastRun?.at;
      const before = await lastRun();
      await eventually('the saved filter was evaluated again', async () => (await lastRun()) !== before);
      held.resolve();
      for (const job of waiting)
        await eventually(`${job} is done`, async () => (await stateOf(job)) === 'completed');
      await eventually('no order is left', async () => (await backup.list('ordered-job')).length === 0);
      const gone = await app.inject(`/jobs/${completed}`);
      assert.match(gone.json<{ message: string }>().message, /before the job store was emptied/);
      assert.match(await metricsOf(rig), /emptied_job_stores_total\S* 1/);
    } finally {
      stop.abort();
      await running;
      await app.close();
      await Promise.all([queue.close(), records.close(), backup.close()]);
    }
  },
);

async function metricsOf({ metrics }: Awaited<ReturnType<typeof openRig>>): Promise<string> {
  const { name, values } = await metrics.emptiedStores.get();
  return values.map(({ value }) => `${name} ${value}`).join();
}

async function flush(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write('FLUSHALL\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString(), /^\+OK/);
  socket.destroy();
}

const noSettings = {
  LOG_RETENTION_MS: undefined,
  SEARCH_RETENTION_MS: undefined,
  ARCHIVE_RETENTION_MS: undefined,
  KAFKA_BROKERS: undefined,
};
