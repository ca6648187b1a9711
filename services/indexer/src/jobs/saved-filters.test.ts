import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { jobNames } from './job-names.ts';
import { logEvent, openRig } from './jobs-rig.ts';
import { SavedFilters, settleMs } from './saved-filters.ts';

const startMs = 1_714_564_800_000;

/** The rig with a clock that the test sets, in seconds after the start. */
async function openFilters() {
  const rig = await openRig();
  const clock = { seconds: 0 };
  const now = (): number => startMs + settleMs + clock.seconds * 1000;
  const filters = new SavedFilters({ queue: rig.queue, records: rig.records, now });
  const { search, logger } = rig;
  return {
    ...rig,
    clock,
    filters,
    evaluate: (id: string, jobId: string) => filters.evaluate(id, jobId, { search, logger }),
    index: async (...numbers: number[]) =>
      search.index(
        await rig.append(numbers.map((n) => logEvent(n, { level: n % 2 === 0 ? 'error' : 'info' }))),
      ),
  };
}

test('each evaluation counts what matches since the one before, and keeps the newest hits', async () => {
  await using rig = await openFilters();
  const { id } = await rig.filters.create({ name: 'errors', filter: 'level:error', everyMs: 60_000 });
  await rig.index(...Array.from({ length: 40 }, (_, n) => n));
  rig.clock.seconds = 30;
  await rig.evaluate(id, 'job-1');
  const epoch = await rig.log.epochOf('logs.events');
  const first = (await rig.filters.get(id))?.lastRun;
  assert.equal(first?.count, 15);
  assert.deepEqual(
    first.hits,
    [28, 26, 24, 22, 20, 18, 16, 14, 12, 10].map((n) => `${epoch}-0-${n}`),
  );
  assert.deepEqual([first.from, first.to], ['2024-05-01T12:00:00.000000Z', '2024-05-01T12:00:30.000000Z']);
  rig.clock.seconds = 60;
  await rig.evaluate(id, 'job-2');
  const second = (await rig.filters.list())[0]?.lastRun;
  assert.deepEqual([second?.from, second?.count], [first.to, 5]);
  // The same job again: it was interrupted after its result was kept.
  rig.clock.seconds = 90;
  await rig.evaluate(id, 'job-2');
  assert.deepEqual((await rig.filters.get(id))?.lastRun, second);
  assert.deepEqual(rig.logged, []);
});

test('a count from the threshold on is warned of', async () => {
  await using rig = await openFilters();
  const { id } = await rig.filters.create({ name: 'n', filter: '', everyMs: 1000, threshold: 2 });
  await rig.index(0, 1, 10);
  rig.clock.seconds = 5;
  await rig.evaluate(id, 'job-1');
  rig.clock.seconds = 20;
  await rig.evaluate(id, 'job-2');
  assert.deepEqual(rig.logged, [{ savedFilter: 'n', count: 2, threshold: 2 }]);
});

test('a deleted filter does not come back and is evaluated no more', async () => {
  await using rig = await openFilters();
  const { id } = await rig.filters.create({ name: 'n', filter: 'a', everyMs: 1000 });
  assert.equal(await rig.filters.delete(id), true);
  assert.equal(await rig.filters.delete(id), false);
  await rig.evaluate(id, 'job-1');
  assert.deepEqual(await rig.filters.list(), []);
});

test('the schedule makes jobs, also when it is set again', async () => {
  await using rig = await openFilters();
  const { id } = await rig.filters.create({ name: 'n', filter: '', everyMs: 1000 });
  await rig.filters.scheduleAll();
  const stop = new AbortController();
  let data: unknown;
  const worker = rig.queue.process(
    jobNames.savedFilter,
    async (job) => {
      data = job.data;
      stop.abort();
    },
    {},
    stop.signal,
  );
  const deadline = Date.now() + 60_000;
  while (data === undefined && Date.now() < deadline) await sleep(10);
  await worker;
  assert.deepEqual(data, { id });
});

test('what cannot be evaluated is refused, with the place', async () => {
  await using rig = await openFilters();
  const good = { name: 'n', filter: 'a', everyMs: 1000 };
  const bad: [object, string, string][] = [
    [{ ...good, name: '' }, 'bad-parameter', 'name'],
    [{ ...good, filter: 7 }, 'bad-parameter', 'filter'],
    [{ ...good, filter: 'a:(' }, 'bad-filter', 'filter'],
    [{ ...good, everyMs: 999 }, 'bad-parameter', 'everyMs'],
    [{ ...good, everyMs: 1e12 }, 'bad-parameter', 'everyMs'],
    [{ ...good, threshold: 0 }, 'bad-parameter', 'threshold'],
  ];
  for (const [given, code, parameter] of bad)
    await assert.rejects(rig.filters.create(given), (error: { code: string; details: object }) => {
      assert.deepEqual([error.code, (error.details as { parameter: string }).parameter], [code, parameter]);
      return true;
    });
  assert.deepEqual(await rig.filters.list(), []);
});
