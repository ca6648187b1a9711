import { createTelemetry } from '@logloom/telemetry';
import { parseMetrics } from '@logloom/telemetry/testing/metrics-text';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LagWatch } from './lag-watch.ts';

function rig(times: number[], start: number) {
  const telemetry = createTelemetry('indexer', 'silent');
  const state = { position: start, nowMs: 100_000, reads: 0, isDown: false };
  const log = {
    startOffsets: async () => {
      if (state.isDown) throw new Error('down');
      return [start, 0];
    },
    endOffsets: async () => [times.length, 0],
    read: async (topic: string, partition: number, offset: number) => {
      state.reads++;
      const timestampMs = times[offset]!;
      return [{ topic, partition, offset, timestampMs, key: null, value: Buffer.alloc(0), headers: {} }];
    },
  };
  const consumers = () => [{ group: 'indexer', topic: 'logs.events', positions: [state.position, 0] }];
  const watch = new LagWatch({ log, telemetry, consumers, nowMs: () => state.nowMs });
  const lag = async (partition: number) => {
    const families = parseMetrics(await telemetry.registry.metrics());
    return ['records', 'seconds'].map(
      (unit) =>
        families
          .get(`logloom_consumer_lag_${unit}`)!
          .samples.find(({ labels }) => labels.includes(`partition="${partition}"`))?.value,
    );
  };
  return { state, watch, lag };
}

test('the lag is what is unread, and the age of its oldest record', async () => {
  const { state, watch, lag } = rig([10_000, 20_000, 30_000, 40_000], 0);
  assert.deepEqual(await lag(0), [undefined, undefined]);
  state.position = 1;
  await watch.look();
  assert.deepEqual(await lag(0), [3, 80]);
  assert.deepEqual(await lag(1), [0, 0]);
  state.position = 4;
  await watch.look();
  assert.deepEqual(await lag(0), [0, 0]);
});

test('while a consumer stands still, its oldest record is read once, and the age grows also while the log is down', async () => {
  const { state, watch, lag } = rig([10_000, 20_000], 0);
  await watch.look();
  await watch.look();
  assert.equal(state.reads, 1);
  state.isDown = true;
  state.nowMs += 60_000;
  await assert.rejects(watch.look());
  assert.deepEqual(await lag(0), [2, 150]);
});

test('what has left the log is no lag, and a record of the future is not of a negative age', async () => {
  const { state, watch, lag } = rig([0, 0, 0, 900_000], 3);
  state.position = 1;
  await watch.look();
  assert.deepEqual(await lag(0), [1, 0]);
});
