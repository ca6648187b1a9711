import { topics } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logEvent, openRig } from '../testing/jobs-rig.ts';
import { createRetentionClock } from './retention-clock.ts';
import { applyRetention, hasRetention, type RetentionSettings } from './retention.ts';

const settings: RetentionSettings = {
  LOG_RETENTION_MS: 60_000,
  SEARCH_RETENTION_MS: undefined,
  ARCHIVE_RETENTION_MS: undefined,
  KAFKA_BROKERS: undefined,
};

type Rig = Awaited<ReturnType<typeof openRig>>;

/** Commits for a group on partition 0 of a topic. */
async function commit(rig: Rig, group: string, topic: string, offset: number, metadata = ''): Promise<void> {
  const stop = new AbortController();
  const open = async (assignment: { partition: number; commit: (o: number, m: string) => Promise<void> }) => {
    if (assignment.partition === 0) await assignment.commit(offset, metadata);
    return {
      process: async () => {},
      idle: async () => stop.abort(),
    };
  };
  await rig.log.consume({ group, topics: [topic], open }, stop.signal);
}

/** Ten batches of ten records each in partition 0, some milliseconds apart; returns the time after them all. */
async function fill(rig: Rig, topic: string): Promise<void> {
  for (let batch = 0; batch < 10; batch++) {
    await rig.log.append(
      topic,
      Array.from({ length: 10 }, () => ({ partition: 0, key: null, value: Buffer.from('x') })),
    );
    const after = Date.now();
    while (Date.now() === after);
  }
}

const later = (): number => Date.now() + 3_600_000;

test('the log is trimmed, but never what a group has not read yet', async () => {
  await using rig = await openRig();
  for (const topic of Object.values(topics)) await fill(rig, topic);
  // Nobody has committed on any of them but the dead letters, which nobody reads.
  const deadLetters = { ...settings, LOG_RETENTION_MS: undefined, DEAD_LETTER_RETENTION_MS: 60_000 };
  assert.deepEqual(await applyRetention({ ...rig, settings: deadLetters, nowMs: later }), {
    [topics.deadLetter]: 99,
  });
  assert.deepEqual(await applyRetention({ ...rig, settings, nowMs: later }), {});
  await commit(rig, 'indexer', topics.events, 70);
  await commit(rig, 'correlator', topics.events, 40, '{"output":20,"sources":[],"position":60}');
  await commit(rig, 'indexer', topics.correlations, 90);
  await commit(rig, 'ingest', topics.raw, 100);
  await commit(rig, 'alerts', topics.alerts, 30);
  assert.deepEqual(await applyRetention({ ...rig, settings, nowMs: later }), {
    [topics.alerts]: 30,
    [topics.events]: 40,
    [topics.correlations]: 20,
    [topics.raw]: 99,
  });
  assert.equal(rig.logged.filter((line) => 'removed' in line).length, 2);
  assert.deepEqual(await applyRetention({ ...rig, settings, nowMs: later }), {});
  assert.deepEqual((await rig.log.startOffsets(topics.events))[0], 40);
});

test('what is young stays; the stores go by the time of the events', async () => {
  await using rig = await openRig();
  const events = await rig.append(Array.from({ length: 100 }, (_, n) => logEvent(n)));
  await rig.search.index(events);
  await rig.archive.put(events);
  await commit(rig, 'indexer', topics.events, 100);
  await commit(rig, 'correlator', topics.events, 100);
  const now = (): number => events[0]!.timestamp / 1000 + 160_000;
  const both = { ...settings, SEARCH_RETENTION_MS: 100_000, ARCHIVE_RETENTION_MS: 120_000 };
  assert.deepEqual(await applyRetention({ ...rig, settings: both, nowMs: now }), { search: 60, archive: 40 });
  assert.equal((await rig.search.counts()).events, 40);
  assert.equal((await rig.archive.counts()).events, 60);
  assert.deepEqual((await rig.log.startOffsets(topics.events))[0], 0);
});

test('without a setting only logs.windows is trimmed; with Kafka the log is looked at, and left to the brokers', () => {
  assert.equal(hasRetention(settings), true);
  assert.equal(hasRetention({ ...settings, KAFKA_BROKERS: ['k:9092'] }), true);
  // logs.windows is trimmed anyway.
  assert.equal(hasRetention({ ...settings, LOG_RETENTION_MS: undefined }), true);
  assert.equal(hasRetention({ ...settings, LOG_RETENTION_MS: undefined, KAFKA_BROKERS: ['k:9092'] }), false);
  const deadLetters = { LOG_RETENTION_MS: undefined, DEAD_LETTER_RETENTION_MS: 60_000 };
  assert.equal(hasRetention({ ...settings, ...deadLetters }), true);
  assert.equal(hasRetention({ ...settings, ...deadLetters, KAFKA_BROKERS: ['k:9092'] }), false);
  assert.equal(hasRetention({ ...settings, LOG_RETENTION_MS: undefined, SEARCH_RETENTION_MS: 60_000 }), true);
});

test('a reader that retention comes near to is warned of, with the age of what it has not read', async () => {
  await using rig = await openRig();
  await fill(rig, topics.events);
  for (const group of ['indexer', 'correlator']) await commit(rig, group, topics.events, 40);
  const [oldest] = await rig.log.read(topics.events, 0, 40, 1);
  for (const KAFKA_BROKERS of [undefined, ['k:9092']]) {
    const ages = new Map<string, number>();
    const warned: { topic: string }[] = [];
    const logger = { info: () => {}, warn: (line: { topic: string }) => void warned.push(line) };
    const look = (afterMs: number): Promise<unknown> =>
      applyRetention({
        ...rig,
        logger: logger,
        settings: { ...settings, KAFKA_BROKERS },
        nowMs: () => oldest!.timestampMs + afterMs,
        oldestUnread: (topic, seconds) => void ages.set(topic, seconds),
      });
    await look(30_000);
    assert.deepEqual([ages.get(topics.events), warned], [30, []]);
    await look(50_000);
    assert.deepEqual([ages.get(topics.events), warned.map(({ topic }) => topic)], [50, [topics.events]]);
  }
});

test('a clock that is ahead removes nothing before its time, in the log and in the stores', async () => {
  await using rig = await openRig();
  const appendedAt = Date.now();
  const events = await rig.append(
    Array.from({ length: 100 }, (_, n) => logEvent(n, { timestamp: appendedAt * 1000 })),
  );
  await rig.search.index(events);
  await rig.archive.put(events);
  for (const group of ['indexer', 'correlator']) await commit(rig, group, topics.events, 100);
  const all = { ...settings, SEARCH_RETENTION_MS: 60_000, ARCHIVE_RETENTION_MS: 60_000 };
  const machine = { wall: appendedAt, monotonic: 0 };
  const clockOf = (): ReturnType<typeof createRetentionClock> =>
    createRetentionClock({ ...rig, nowMs: () => machine.wall, passed: () => machine.monotonic });
  const run = async (clock = clockOf()): Promise<unknown> => {
    const reached = await clock.read();
    return applyRetention({ ...rig, settings: all, nowMs: () => reached });
  };
  const warnings = (): number => rig.logged.filter((line) => 'aheadSeconds' in line).length;
  // Also at the very first start.
  machine.wall += 400 * 86_400_000;
  const clock = clockOf();
  assert.deepEqual(await run(clock), {});
  machine.monotonic += 30_000;
  assert.deepEqual(await run(clock), {});
  assert.deepEqual(await run(), {}, 'nor in a process that starts meanwhile');
  assert.equal(warnings(), 3);
  // Time continues all the same.
  machine.monotonic += 40_000;
  assert.deepEqual(await run(clock), { [topics.events]: 99, archive: 100, search: 100 });
});
