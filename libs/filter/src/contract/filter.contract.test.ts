import type { DuckDBConnection } from '@duckdb/node-api';
import { recordedLines } from '@logloom/testing';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parseMicros, placeEvent, type LogEvent, type PlacedEvent } from '@logloom/schemas';
import { compileDuckDb, compilePredicate, FilterSubject, parseFilter } from '../index.ts';
import { eventsInDuckDb } from '../testing/events-in-duckdb.ts';
import type { Filter } from '../index.ts';
import { corpusEvents, corpusFilters, generateCorpusEvents } from './filter-corpus.ts';

const realFilters = [
  'Get Food',
  '"Get Food Request"',
  'service:ts-*-service AND FoodController',
  '*Controller* -getAllFood',
  'data-2021-*',
];

describe('a filter means the same to the predicate and to DuckDB', () => {
  describe('on the corpus', () => compare([...corpusEvents, ...generateCorpusEvents(1500)], corpusFilters));
  describe('on recorded events', () => compare(recordedEvents(3000), [...corpusFilters, ...realFilters]));
});

describe('the corpus', () => {
  it('has filters that match, and filters that do not', () => {
    const events = [...corpusEvents, ...generateCorpusEvents(1500)].map((event) => new FilterSubject(event));
    const counts = corpusFilters.map((text) => matching(filterOf(text), events).length);
    const idle = corpusFilters.filter((_, i) => counts[i] === 0);
    assert.deepEqual(idle, ['NOT *', 'id', 'nothing:*']);
    assert.ok(counts.filter((count) => count > 0 && count < events.length).length > 100);
  });
});

function compare(events: readonly PlacedEvent[], filters: readonly string[]): void {
  let columns: DuckDBConnection;
  before(async () => {
    columns = await eventsInDuckDb(events);
  });
  after(() => columns.closeSync());
  const subjects = events.map((event) => new FilterSubject(event));
  for (const text of filters) {
    it(text || '(empty)', async () => {
      const counts: number[] = [];
      for (const filter of [filterOf(text), filterOf(`NOT (${text || '*'})`)]) {
        const ids = matching(filter, subjects);
        const sql = `SELECT epoch || '-' || partition || '-' || "offset" FROM events WHERE ${compileDuckDb(filter)} ORDER BY "offset"`;
        const found = (await columns.runAndReadAll(sql)).getRows().map(([id]) => id);
        assert.deepEqual(found, ids);
        counts.push(ids.length);
      }
      assert.equal(counts[0]! + counts[1]!, events.length, 'NOT is the complement');
    });
  }
}

function filterOf(text: string): Filter {
  const result = parseFilter(text);
  assert.ok(result.ok, `${text}: ${JSON.stringify(result)}`);
  return result.filter;
}

function matching(filter: Filter, subjects: readonly FilterSubject[]): string[] {
  return subjects.filter(compilePredicate(filter)).map(({ event }) => event.id);
}

function recordedEvents(most: number): PlacedEvent[] {
  return recordedLines(most).map((line, i) => {
    const { timestamp, ...given } = JSON.parse(line) as LogEvent & { timestamp: unknown };
    const absent = {
      host: null,
      correlationId: null,
      correlationKind: null,
      traceId: null,
      spanId: null,
      attributes: '{}',
    };
    const source = { kind: 'http', topic: 'recorded', partition: 0, offset: i, index: 0 };
    return placeEvent(
      { ...absent, ...given, source, receivedAt: 0, timestamp: parseMicros(String(timestamp)) },
      'corpus',
      0,
      i,
    );
  });
}
