import { canaryKind, type Correlation, type PlacedEvent } from '@logloom/schemas';
import { openEmbeddedSearchStore } from '@logloom/search-store';
import { correlationDocument, placedEvent, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { CanaryView } from './canary-view.ts';

const folder = temporaryFolder('canary-view');
const store = openEmbeddedSearchStore(folder.path);
after(async () => {
  await store.close();
  folder[Symbol.dispose]();
});

function event(offset: number, timestampMs: number): PlacedEvent {
  const timestamp = timestampMs * 1000;
  return placedEvent(offset, { timestamp, correlationId: 'canary-1', correlationKind: canaryKind });
}

function document(atMs: number): Correlation {
  return correlationDocument('a', { kind: canaryKind, firstAt: atMs * 1000, lastAt: atMs * 1000 });
}

test("the canary's items are kept for some minutes, and old ones are not stored at all", async () => {
  let nowMs = 1_700_000_000_000;
  const failures: unknown[] = [];
  const view = new CanaryView({ store, onFailure: (error) => failures.push(error), nowMs: () => nowMs });
  // An hour old: the log is read again.
  await view.write([event(0, nowMs - 3_600_000), event(1, nowMs)], [document(nowMs)]);
  assert.deepEqual(await store.counts(), { events: 1, correlations: 1 });
  nowMs += 660_000;
  await view.write([event(2, nowMs)], []);
  assert.deepEqual(await store.counts(), { events: 1, correlations: 0 });
  assert.notEqual(await store.event('test-0-2'), undefined);
  assert.deepEqual(failures, []);
});

test('a store that fails is reported, and holds up nobody', async () => {
  const failures: unknown[] = [];
  const fail = () => Promise.reject(new Error('full'));
  const view = new CanaryView({
    store: { index: fail, indexCorrelations: fail, deleteBefore: fail },
    onFailure: (error) => failures.push(error),
    nowMs: () => 1_700_000_000_000,
  });
  await view.write([event(2, 1_700_000_000_000)], []);
  assert.equal(failures.length, 1);
});
