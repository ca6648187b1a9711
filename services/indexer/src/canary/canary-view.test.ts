import { canaryKind, type Correlation, type PlacedEvent } from '@logloom/schemas';
import { openSqliteSearchStore } from '@logloom/search-store';
import { correlationDocument, placedEvent, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { BulkTarget } from '../indexing/index-batches.ts';
import { CanaryView, withoutCanaries } from './canary-view.ts';

const folder = temporaryFolder('canary-view');
const store = openSqliteSearchStore(folder.path);
after(async () => {
  await store.close();
  folder[Symbol.dispose]();
});

/** A target that keeps what it gets. */
function recorder(): { target: BulkTarget; events: number[]; documents: string[]; calls: () => number } {
  const events: number[] = [];
  const documents: string[] = [];
  let calls = 0;
  const target: BulkTarget = {
    name: 'search',
    putEvents: async (given) => {
      calls++;
      events.push(...given.map(({ offset }) => offset));
    },
    putCorrelations: async (given) => {
      calls++;
      documents.push(...given.map(({ id }) => id));
    },
  };
  return { target, events, documents, calls: () => calls };
}

function event(offset: number, isCanary: boolean, timestampMs: number): PlacedEvent {
  const kind = isCanary ? { correlationId: 'canary-1', correlationKind: canaryKind } : {};
  return placedEvent(offset, { timestamp: timestampMs * 1000, ...kind });
}

function documentOf(id: string, isCanary: boolean, atMs: number): Correlation {
  const times = { firstAt: atMs * 1000, lastAt: atMs * 1000 };
  return correlationDocument(id, isCanary ? { kind: canaryKind, ...times } : times);
}

test("the canary's items go to its store for some minutes, and to no other", async () => {
  let nowMs = 1_700_000_000_000;
  const failures: unknown[] = [];
  const view = new CanaryView({ store, onFailure: (error) => failures.push(error), nowMs: () => nowMs });
  const { target, events, documents, calls } = recorder();
  const search = withoutCanaries(target, view);
  // An hour old: the log is read again.
  await search.putEvents([event(0, true, nowMs - 3_600_000)]);
  await search.putEvents([event(1, false, nowMs), event(2, true, nowMs), event(3, false, nowMs)]);
  await search.putCorrelations([documentOf('a', true, nowMs), documentOf('b', false, nowMs)]);
  assert.deepEqual(events, [1, 3]);
  assert.deepEqual(documents, ['b']);
  assert.deepEqual(await store.counts(), { events: 1, correlations: 1 });

  nowMs += 660_000;
  const before = calls();
  await search.putEvents([event(4, true, nowMs)]);
  assert.equal(calls(), before);
  assert.deepEqual(await store.counts(), { events: 1, correlations: 0 });
  assert.notEqual(await store.event('test-0-4'), undefined);

  const archive = recorder();
  await withoutCanaries(archive.target).putEvents([event(5, true, nowMs), event(6, false, nowMs)]);
  assert.deepEqual(archive.events, [6]);
  assert.deepEqual(failures, []);
});

test("a batch without the canary is passed on as it is, and the canary's store that fails holds up nobody", async () => {
  const failures: unknown[] = [];
  const fail = () => Promise.reject(new Error('full'));
  const view = new CanaryView({
    store: { index: fail, indexCorrelations: fail, deleteBefore: fail },
    onFailure: (error) => failures.push(error),
    nowMs: () => 1_700_000_000_000,
  });
  let given: readonly PlacedEvent[] = [];
  const search = withoutCanaries(
    { ...recorder().target, putEvents: async (events) => void (given = events) },
    view,
  );
  const batch = [event(1, false, 1_700_000_000_000)];
  await search.putEvents(batch);
  assert.equal(given, batch);
  await search.putEvents([event(2, true, 1_700_000_000_000)]);
  assert.equal(failures.length, 1);
});
