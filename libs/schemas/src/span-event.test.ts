import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spanDurationMicros } from './span-event.ts';

test('the duration of a span is its own member, of an event of this kind', () => {
  const text = (attributes: object): string => JSON.stringify(attributes);
  assert.equal(spanDurationMicros(text({ eventKind: 'span', durationMs: 12.345 })), 12_345);
  assert.equal(spanDurationMicros(text({ durationMs: 0, eventKind: 'span' })), 0);
  assert.equal(spanDurationMicros(text({ durationMs: 12 })), undefined);
  assert.equal(spanDurationMicros(text({ eventKind: 'span' })), undefined);
  assert.equal(
    spanDurationMicros(text({ eventKind: 'log', a: { eventKind: 'span', durationMs: 1 } })),
    undefined,
  );
  assert.equal(
    spanDurationMicros(text({ eventKind: 'span', durationMs: '1', a: { durationMs: 1 } })),
    undefined,
  );
});
