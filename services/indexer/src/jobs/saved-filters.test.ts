import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SearchStoreError, type SearchQuery } from '@logloom/search-store';
import { logEvent, openRig } from '../testing/jobs-rig.ts';
import { jobNames } from './job-names.ts';
import { SavedFilters, settleMs } from './saved-filters.ts';

const startMs = 1_714_564_800_000;

/** The rig with a clock that the test sets, in seconds after the start. */
async function openFilters() {
  const rig = await openRig();
  const clock = { seconds: 0 };
  const now = (): number => startMs + settleMs + clock.seconds * 1000;
  const filters = new SavedFilters({ queue: rig.queue, records: rig.records, nowMs: now });
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

test('a filter that was evaluated by a clock that was ahead continues at once when that is set back', async () => {
  await using rig = await openFilters();
  const { id } = await rig.filters.create({ name: 'errors', filter: 'level:error', everyMs: 60_000 });
  await rig.index(...Array.from({ length: 40 }, (_, n) => n));
  rig.clock.seconds = 400 * 86_400;
  await rig.evaluate(id, 'job-1');
  assert.equal((await rig.filters.get(id))?.lastRun?.count, 20);
  rig.clock.seconds = 100;
  await rig.index(...Array.from({ length: 40 }, (_, n) => 50 + n));
  await rig.evaluate(id, 'job-2');
  assert.deepEqual((await rig.filters.get(id))?.lastRun?.count, 20, 'it goes back by an interval');
  rig.clock.seconds = 160;
  await rig.index(101, 102);
  await rig.evaluate(id, 'job-3');
  assert.equal((await rig.filters.get(id))?.lastRun?.count, 1);
});

test('what may be saved is limited, in number and in evaluations, of a principal and in all', async () => {
  await using rig = await openFilters();
  const save = (principal: string, everyMs: number) =>
    rig.filters.create({ name: 'n', filter: 'level:error', everyMs }, principal);
  const refused = { code: 'too-many-saved-filters' };
  for (let i = 0; i < 5; i++) await save('quick', 1000);
  await assert.rejects(save('quick', 1000), refused);
  await assert.rejects(save('quick', 100_000), refused);
  for (let i = 0; i < 100; i++) await save('many', 3_600_000);
  await assert.rejects(save('many', 3_600_000), refused);
  for (let i = 0; i < 4; i++) await save('other', 1000);
  await assert.rejects(save('third', 1000), refused, 'all together');
  await save('third', 60_000);
  assert.equal('principal' in (await rig.filters.list())[0]!, false);
});

test('a record of version 0.1, which names its principal otherwise, counts for that principal and is shown without it', async () => {
  await using rig = await openFilters();
  const { id } = await rig.filters.create({ name: 'n', filter: 'level:error', everyMs: 1000 }, 'old');
  const { principal, ...record } = (await rig.records.get('saved-filter', id)) as Record<string, unknown>;
  await rig.records.put('saved-filter', id, { ...record, holder: principal });
  assert.deepEqual(Object.keys((await rig.filters.get(id))!).includes('holder'), false);
  const save = () => rig.filters.create({ name: 'n', filter: 'level:error', everyMs: 1000 }, 'old');
  for (let i = 0; i < 4; i++) await save();
  await assert.rejects(save(), { code: 'too-many-saved-filters' });
  await rig.evaluate(id, 'job-1');
  assert.equal((await rig.filters.get(id))?.lastRun?.count, 0);
});

test('a filter that takes too long is counted in shorter steps, and what cannot be is told', async () => {
  await using rig = await openFilters();
  const { id } = await rig.filters.create({ name: 'slow', filter: 'level:error', everyMs: 1000 });
  await rig.index(...Array.from({ length: 40 }, (_, n) => n));
  rig.clock.seconds = 40;
  let limit = 10_000_000;
  const search = {
    search: async (query: SearchQuery) => {
      if (query.toMicros! - query.fromMicros! > limit) throw new SearchStoreError('timeout', 'too long');
      return rig.search.search(query);
    },
  };
  let count = 0;
  let to = '';
  for (let job = 0; job < 40 && !to.endsWith('12:00:40.000000Z'); job++) {
    await rig.filters.evaluate(id, `job-${job}`, { search, logger: rig.logger });
    const run = (await rig.filters.get(id))?.lastRun;
    if (run === undefined || run.to === to) continue;
    count += run.count;
    to = run.to;
  }
  assert.equal(count, 20, 'every event of the time, once');
  assert.deepEqual(rig.logged, []);
  limit = 0;
  rig.clock.seconds = 41;
  await rig.filters.evaluate(id, 'last', { search, logger: rig.logger });
  assert.equal((await rig.filters.get(id))?.lastRun?.error, 'timeout');
  assert.ok(rig.logged.length > 0);
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
