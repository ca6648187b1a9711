import { FilterSubject } from '@logloom/filter';
import { corpusEvents, corpusFilters, generateCorpusEvents } from '@logloom/filter/corpus';
import { placeEvent, type PlacedEvent } from '@logloom/schemas';
import { logEvent } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLimits } from '../admission/viewer-limits.ts';
import { eventsStream } from '../stream/events-stream.ts';
import type { LiveFilter } from '../stream/stream-kind.ts';
import { FilterIndex } from './filter-index.ts';

interface Entry {
  text: string;
  filter: LiveFilter;
}

function entriesFor(texts: readonly string[]): Entry[] {
  return texts.flatMap((text) => {
    const compiled = eventsStream.compile(text, defaultLimits.filter);
    return compiled.ok ? [{ text, filter: compiled.filter }] : [];
  });
}

function found(entries: readonly Entry[], event: PlacedEvent): string[] {
  const index = new FilterIndex<Entry>();
  for (const entry of entries) index.add(entry);
  const matching: Entry[] = [];
  index.match(new FilterSubject(event), matching);
  return matching.map(({ text }) => text).sort();
}

function withAttributes(attributes: object): PlacedEvent {
  return placeEvent(logEvent(0, { attributes: JSON.stringify(attributes) }), 'e', 0, 0);
}

test('an index finds exactly the filters that match, each once', () => {
  const entries = entriesFor([
    ...corpusFilters,
    ...corpusFilters.map((text) => `(${text === '' ? '*' : text}) AND attributes.size:(5.0 OR big)`),
  ]);
  for (const event of [...corpusEvents, ...generateCorpusEvents(300)]) {
    const direct = entries.filter(({ filter }) => filter.matches(new FilterSubject(event)));
    assert.deepEqual(found(entries, event), direct.map(({ text }) => text).sort(), event.id);
  }
});

test('attributes are found as text, number or truth, in lists, and once where a filter wants several of their values', () => {
  const entries = entriesFor(['size:5', 'size:5.0', 'size:(5 OR 6)', 'size:true', 'user.name:a', 'size:-0']);
  assert.deepEqual(found(entries, withAttributes({ size: 5 })), ['size:(5 OR 6)', 'size:5', 'size:5.0']);
  assert.deepEqual(found(entries, withAttributes({ size: '5.0' })), ['size:5.0']);
  assert.deepEqual(found(entries, withAttributes({ size: [6, 5, '5'] })), [
    'size:(5 OR 6)',
    'size:5',
    'size:5.0',
  ]);
  assert.deepEqual(found(entries, withAttributes({ size: true, user: { name: 'a' } })), [
    'size:true',
    'user.name:a',
  ]);
  assert.deepEqual(found(entries, withAttributes({ size: 0 })), ['size:-0']);
  assert.deepEqual(found(entries, withAttributes({})), []);
});

test('of a thousand filters for one value of an attribute each, one is tested, and none that was removed', () => {
  const index = new FilterIndex<Entry>();
  const entries = entriesFor(Array.from({ length: 1_000 }, (_, n) => `attributes.share:s${n}`));
  for (const entry of entries) index.add(entry);
  const matching: Entry[] = [];
  assert.equal(index.match(new FilterSubject(withAttributes({ share: 's7' })), matching), 1);
  assert.deepEqual(matching, [entries[7]]);
  for (const entry of entries) index.delete(entry);
  assert.ok(index.isEmpty);
});
