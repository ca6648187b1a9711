import { topics } from '@logloom/schemas';
import { openSearchStore } from '@logloom/search-store';
import { parseSettings } from '../settings.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shareStack } from '../../../../infra/local/shared-stack.ts';
import { logEvent, openRig } from '../testing/jobs-rig.ts';
import { verifyViews } from './verify-views.ts';

const { stack, release } = await shareStack({ only: ['elasticsearch'] });
const { elasticsearch: missing } = stack.missing;

test(
  'an index that was deleted by hand is found, and filled again',
  { skip: missing ?? false },
  async (t) => {
    t.after(release);
    await using rig = await openRig();
    const url = stack.env['ELASTICSEARCH_URL']!;
    const search = await openSearchStore({
      elasticsearchUrl: url,
      folder: rig.folder,
      epoch: await rig.log.epochOf(topics.events),
    });
    t.after(() => search.close());
    // Two days, an index each.
    const day = 86_400;
    const timestamps = [0, 1, 2, day, day + 1].map((seconds) => logEvent(seconds).timestamp);
    const events = await rig.append(
      timestamps.map((timestamp, n) => logEvent(n, { timestamp, receivedAt: timestamp / 1000 })),
    );
    await search.index(events);
    await rig.archive.put(events);
    const stop = new AbortController();
    await rig.log.consume(
      {
        group: 'indexer',
        topics: [topics.events],
        open: async ({ partition, commit }) => {
          if (partition === 0) await commit(events.length);
          return { process: async () => {}, idle: async () => stop.abort() };
        },
      },
      stop.signal,
    );
    const verify = (refill: boolean) =>
      verifyViews(
        { ...rig, search, settings: parseSettings({}), nowMs: Date.now },
        { refill },
        new AbortController().signal,
        async () => {},
      );
    assert.equal((await verify(false)).complete, true);
    const removed = new Date(timestamps[0]! / 1000).toISOString().slice(0, 10).replaceAll('-', '.');
    assert.ok((await fetch(new URL(`logs-${removed}`, url), { method: 'DELETE' })).ok);
    const found = await verify(false);
    assert.equal(found.complete, false);
    assert.deepEqual(found.views[0]!.ranges, [{ partition: 0, from: 0, to: 3, missing: 3 }]);
    assert.deepEqual((await verify(true)).views[0]!.refilled, 3);
    assert.equal((await verify(false)).complete, true);
  },
);
