import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NewRecord } from '../event-log.ts';
import { SqliteTopic } from './topic.ts';

const dayMs = 86_400_000;
const now = Date.UTC(2026, 10, 27);
const records: NewRecord[] = [{ partition: 0, key: null, value: Buffer.from('v') }];

test('a clock that was wrong by 400 days: times continue from the right one, and neither queries nor retention wait for the other', () => {
  using folder = temporaryFolder('clock');
  const topic = new SqliteTopic(folder.path, 't', 1);
  try {
    for (const at of [now, now + 1000, now + 400 * dayMs, now + 2000, now + 1500, now + 3000])
      topic.append(records, at);
    const times = topic.read(0, 0, 10).map(({ timestampMs: timestamp }) => timestamp - now);
    assert.deepEqual(times, [0, 1000, 400 * dayMs, 2000, 2000, 3000], 'half a second back is waited for');
    const at = (ms: number): number => topic.offsetByTime(0, now + ms);
    assert.deepEqual([at(0), at(500), at(1500), at(2500), at(4000)], [0, 1, 2, 5, 6]);
    // A query for a time that only the wrong clock reached.
    assert.equal(at(300 * dayMs), 6);
    topic.trim(now + 1500);
    assert.equal(topic.startOffset(0), 2);
    topic.trim(now + 2500);
    assert.equal(topic.startOffset(0), 5, 'the record of the wrong clock leaves with its neighbours');
    // Set back twice.
    topic.append(records, now - dayMs);
    topic.append(records, now);
    assert.deepEqual([at(-dayMs / 2), at(5000)], [7, 8]);
  } finally {
    topic.close();
  }
});
