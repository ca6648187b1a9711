import { correlationDocument, logEvent } from '@logloom/testing';
import { memberPlaces, placeEvent, type PlacedEvent } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { visibleDocument, visibleDocumentJson } from './visible-document.ts';

/** In partition 0: its own events 1 and 5, and records 2 and 4 that stand for events of partition 1. */
const whole = correlationDocument('log-0-1', {
  correlationId: 't',
  memberDeltas: [0, 1, 2, 1],
  forwarded: [
    { at: 2, partition: 1, offset: 70 },
    { at: 4, partition: 1, offset: 3 },
  ],
});

function member(partition: number, offset: number, correlationId: string, service: string): PlacedEvent {
  return placeEvent(logEvent(offset, { correlationId, service }), 'log', partition, offset);
}

test('a document of a request that other ids joined is made of its visible members wherever they are, in its order', () => {
  const members = [member(1, 3, 'r', 'c'), member(0, 5, 't', 'd'), member(1, 70, 'r', 'b')];
  const visible = visibleDocument(whole, members);
  assert.deepEqual(
    memberPlaces(visible).map(({ partition, offset }) => `${partition}/${offset}`),
    ['1/70', '1/3', '0/5'],
  );
  assert.deepEqual([visible.services, visible.ids, visible.revision], [['b', 'c', 'd'], ['r'], 3]);
  const json = visibleDocumentJson(visible);
  assert.deepEqual([json.members, json.membersElsewhere], [[5], [{ partition: 1, members: [3, 70] }]]);
});

test('without visible members of other ids it says nothing of them', () => {
  const visible = visibleDocument(whole, [member(0, 1, 't', 'a'), member(0, 5, 't', 'd')]);
  assert.deepEqual([visible.forwarded, visible.ids, visible.memberDeltas], [[], [], [0, 4]]);
});
