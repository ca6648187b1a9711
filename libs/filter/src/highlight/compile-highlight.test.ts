import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { corpusEvents, corpusFilters, generateCorpusEvents } from '../contract/filter-corpus.ts';
import {
  compileHighlight,
  compilePredicate,
  FilterSubject,
  parseFilter,
  tokenize,
  type Highlights,
} from '../index.ts';
import { wordSpans } from './word-spans.ts';

const text = fc.string({
  unit: fc.constantFrom('a', 'B', '_', '7', ' ', '-', 'É', 'Σ', 'ς', 'İ', '日', '\u{10400}', '\u0307', '\0'),
});

function highlight(filter: string, event: Partial<(typeof corpusEvents)[0]>): Highlights {
  const result = parseFilter(filter);
  assert.ok(result.ok, filter);
  return compileHighlight(result.filter)(new FilterSubject({ ...corpusEvents[0]!, ...event }));
}

/** The matched texts of each field. */
function marked(highlights: Highlights): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(highlights).map(([field, fragments]) => [
      field,
      fragments.flatMap(({ fragment, ranges }) => ranges.map(([start, end]) => fragment.slice(start, end))),
    ]),
  );
}

test('every word is found at its place: what stands there is that word', () => {
  fc.assert(
    fc.property(text, (value) => {
      const spans = wordSpans(value);
      assert.deepEqual(
        spans.map(({ word }) => word),
        tokenize(value),
      );
      let last = 0;
      for (const { word, start, end } of spans) {
        // A letter that becomes two, such as İ, is one place for both.
        assert.ok(start >= last - 1 && end > start && end <= value.length);
        assert.ok(
          tokenize(value.slice(start, end)).includes(word),
          JSON.stringify([value, word, start, end]),
        );
        last = end;
      }
    }),
    { numRuns: 3000 },
  );
});

test('words, phrases and values that made the event match are shown, and no others', () => {
  const event = {
    level: 'error' as const,
    service: 'payment',
    message: 'Connection TIME-OUT after 30 s, connection lost',
    attributes: '{"http":{"status":502},"tags":["a","b"]}',
  };
  const shown = (filter: string): Record<string, string[]> => marked(highlight(filter, event));
  assert.deepEqual(shown('connection AND level:error'), {
    message: ['Connection', 'connection'],
    level: ['error'],
  });
  assert.deepEqual(shown('"time out after"'), { message: ['TIME-OUT after'] });
  assert.deepEqual(shown('conn* AND service:pay*'), {
    message: ['Connection', 'connection'],
    service: ['payment'],
  });
  assert.deepEqual(shown('http.status:>=500 AND tags:b'), {
    'attributes.http.status': ['502'],
    'attributes.tags': ['b'],
  });
  assert.deepEqual(shown('(lost AND level:info) OR (after AND NOT nothing)'), { message: ['after'] });
  assert.deepEqual(shown('NOT nothing AND _exists_:service AND offset:>=0'), {});
  assert.deepEqual(shown('nothing'), {}, 'it does not match');
});

test('of a long message the surroundings are given, cut between characters', () => {
  const message = `${'\u{1f600}'.repeat(200)} needle ${'x '.repeat(200)}Needle`;
  const { message: fragments } = highlight('needle', { message });
  assert.equal(fragments!.length, 2);
  for (const { at, fragment, ranges } of fragments!) {
    assert.equal(message.slice(at, at + fragment.length), fragment);
    assert.ok(fragment.length <= 100 && fragment.isWellFormed());
    assert.deepEqual(
      ranges.map(([start, end]) => fragment.slice(start, end).toLowerCase()),
      ['needle'],
    );
  }
  const { message: endless } = highlight('*', { message: 'y'.repeat(100_000) });
  assert.equal(endless, undefined);
  const [huge] = highlight('y*', { message: 'y'.repeat(100_000) })['message']!;
  assert.ok(huge!.fragment.length <= 500);
  assert.ok(highlight('y*', { message: `y${'-'.repeat(100)}`.repeat(100) })['message']!.length <= 5);
});

test('every filter of the corpus: shown only where it matches, and every range lies in its fragment and value', () => {
  for (const filter of corpusFilters) {
    const result = parseFilter(filter);
    assert.ok(result.ok);
    const [show, matches] = [compileHighlight(result.filter), compilePredicate(result.filter)];
    for (const event of [...corpusEvents, ...generateCorpusEvents(50)]) {
      const subject = new FilterSubject(event);
      const shown = show(subject);
      if (!matches(subject)) assert.deepEqual(shown, {});
      for (const { at, fragment, ranges } of shown['message'] ?? []) {
        assert.equal(event.message.slice(at, at + fragment.length), fragment);
        for (const [start, end] of ranges) assert.ok(start >= 0 && start < end && end <= fragment.length);
      }
    }
  }
});
