import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lossesIn, missingEvents } from './fault-losses.ts';

test('what is missing belongs to the time in which it was due, from all processes', () => {
  // Ten events a second: event n is due at (n + 1) / 10 s.
  const events = {
    stages: [{ to: 10, seconds: 10, shape: 'steps' as const, count: 1 }],
    traffic: { services: 1, errorShare: 0, eventsPerRequest: 1, concurrentRequests: 1, messageBytes: 0 },
  };
  const ends = [
    {
      missing: [
        [20, 3],
        [21, 1],
      ] as [number, number][],
    },
    {
      missing: [
        [20, 2],
        [50, 9],
      ] as [number, number][],
    },
  ];
  const missing = missingEvents({ events }, ends, { refused: [19, 20, 60], unknown: [5] });
  assert.deepEqual(lossesIn(2, 3, missing), { undelivered: 6, refused: 2, unknown: 0 });
  assert.deepEqual(lossesIn(0, 1, missing), { undelivered: 0, refused: 0, unknown: 1 });
  assert.equal(lossesIn(2, 3, undefined), null);
});
