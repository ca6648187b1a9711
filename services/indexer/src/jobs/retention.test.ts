import { topics } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logEvent, openRig } from './jobs-rig.ts';
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

/** Ten batches of ten records each in partition 0, some milliseconds apart; gives the time after them all. */
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
  assert.deepEqual(await applyRetention({ ...rig, settings, now: later }), { [topics.deadLetter]: 99 });
  await commit(rig, 'indexer', topics.events, 70);
  await commit(rig, 'correlator', topics.events, 40, '{"output":20,"sources":[],"position":60}');
  await commit(rig, 'indexer', topics.correlations, 90);
  await commit(rig, 'ingest', topics.raw, 100);
  await commit(rig, 'alerts', topics.alerts, 30);
  assert.deepEqual(await applyRetention({ ...rig, settings, now: later }), {
    [topics.alerts]: 30,
    [topics.events]: 40,
    [topics.correlations]: 20,
    [topics.raw]: 99,
  });
  assert.deepEqual(rig.logged.length, 2);
  assert.deepEqual(await applyRetention({ ...rig, settings, now: later }), {});
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
  assert.deepEqual(await applyRetention({ ...rig, settings: both, now }), { search: 60, archive: 40 });
  assert.equal((await rig.search.counts()).events, 40);
  assert.equal((await rig.archive.counts()).events, 60);
  assert.deepEqual((await rig.log.startOffsets(topics.events))[0], 0);
});

test('nothing is done without a setting, and the log is left to Kafka', () => {
  assert.equal(hasRetention(settings), true);
  assert.equal(hasRetention({ ...settings, KAFKA_BROKERS: ['k:9092'] }), false);
  assert.equal(hasRetention({ ...settings, LOG_RETENTION_MS: undefined }), false);
  assert.equal(hasRetention({ ...settings, LOG_RETENTION_MS: undefined, SEARCH_RETENTION_MS: 60_000 }), true);
});
