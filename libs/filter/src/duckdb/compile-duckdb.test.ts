import type { DuckDBConnection } from '@duckdb/node-api';
import type { PlacedEvent } from '@logloom/schemas';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { corpusEvents } from '../contract/filter-corpus.ts';
import {
  compileDuckDb,
  compilePredicate,
  FilterSubject,
  parseFilter,
  sqlLiteral,
  type Filter,
} from '../index.ts';
import { eventsInDuckDb } from '../testing/events-in-duckdb.ts';

function filterOf(text: string): Filter {
  const result = parseFilter(text);
  assert.ok(result.ok, `${text}: ${JSON.stringify(result)}`);
  return result.filter;
}

async function found(connection: DuckDBConnection, text: string): Promise<number[]> {
  const sql = `SELECT "offset" FROM events WHERE ${compileDuckDb(filterOf(text))} ORDER BY "offset"`;
  return (await connection.runAndReadAll(sql)).getRows().map(([offset]) => Number(offset));
}

function matching(events: readonly PlacedEvent[], text: string): number[] {
  const matches = compilePredicate(filterOf(text));
  return events.filter((event) => matches(new FilterSubject(event))).map(({ offset }) => offset);
}

function event(offset: number, rest: Partial<PlacedEvent>): PlacedEvent {
  return { ...corpusEvents[0]!, id: `k-0-${offset}`, partition: 0, offset, ...rest };
}

const key = fc.constantFrom('a', 'b', 'a.b', 'c d', 'é', '0', '~', '/', '', 'A');
const value = fc.constantFrom<unknown>(
  ...[5, 5.5, -0, 1e21, 1e-7, 0.1, -3, 12345678901234567000, true, false, null, '', '5', '5.0', 'true', 'x'],
  ...[
    '05',
    '+5',
    '5.',
    '.5',
    '1e3',
    ' 5',
    'inf',
    'nan',
    '1_000',
    '0x5',
    '[x',
    'a":1',
    'back\\slash',
    'é\u0000',
    {},
  ],
);
const tree = fc.letrec((tie) => ({
  node: fc.oneof({ depthSize: 'small' }, { arbitrary: value, weight: 3 }, tie('object'), tie('array')),
  array: fc.array(tie('node'), { maxLength: 3 }),
  object: fc.dictionary(key, tie('node'), { maxKeys: 4, noNullPrototype: true }),
})).object;
const questions = [
  ...[
    'a:5',
    'a:"5.0"',
    'a:x',
    'a:true',
    'a:*',
    'a:>=5',
    'a:[* TO 1e3}',
    'a:{0 TO 6]',
    'a:"\\ 5"',
    'a:5*',
    'a:*e*',
    'a:t?ue',
  ],
  ...[
    'a:[5 TO x]',
    'a.b:5',
    'a.b:*',
    'a.b:>1',
    'b:""',
    'b:1e21',
    'b:*.*',
    'é:*',
    'c\\ d:5',
    'attributes.0:*',
    'a.0:*',
  ],
  ...['\\~:*', '\\/:*', 'A:false', 'b:>"a"', 'NOT a:*', 'NOT (a:5 OR b:x)'],
];

test('attributes mean the same as to the predicate, in any JSON', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(tree, { minLength: 150, maxLength: 150 }), async (trees) => {
      const events = trees.map((attributes, i) => event(i, { attributes: JSON.stringify(attributes) }));
      const connection = await eventsInDuckDb(events);
      try {
        for (const text of questions)
          assert.deepEqual(await found(connection, text), matching(events, text), text);
      } finally {
        connection.closeSync();
      }
    }),
    { numRuns: 10 },
  );
});

test('patterns that take a backtracking matcher for ever are matched', async () => {
  const long = 'a'.repeat(3000);
  const events = [
    event(0, { service: long, message: long }),
    event(1, { service: `${long}b`, message: `${long}b` }),
  ];
  const connection = await eventsInDuckDb(events);
  for (const pattern of ['*a'.repeat(40), '*a'.repeat(900), '?*'.repeat(500), '?'.repeat(3000)]) {
    for (const field of ['service', 'message'])
      for (const text of [`${field}:${pattern}b`, `${field}:${pattern}`])
        assert.deepEqual(await found(connection, text), matching(events, text), text.slice(0, 40));
  }
  connection.closeSync();
});

test('ids are found by their places, and those of earlier releases as they are', async () => {
  const events = [
    event(7, { id: 'k3x9-0-7' }),
    event(8, { id: 'an older id' }),
    event(9, { id: 'other-3-4', partition: 1 }),
    event(10, { id: 'with-dashes-0-10' }),
  ];
  const connection = await eventsInDuckDb(events);
  for (const text of [
    'id:"k3x9-0-7"',
    'id:"an older id"',
    'id:"other-3-4"',
    'id:"with-dashes-0-10"',
    'id:"k3x9-0-07"',
  ])
    assert.deepEqual(await found(connection, text), matching(events, text), text);
  for (const text of ['id:*-7', 'id:[a TO l]', 'NOT id:k3*', 'NOT id:"k3x9-0-7"', 'id:"k3x9-0-8"'])
    assert.deepEqual(await found(connection, text), matching(events, text), text);
  connection.closeSync();
});

test('a literal is the text, whatever is in it', async () => {
  const connection = await eventsInDuckDb([]);
  for (const text of ["it's", "''", '\\', 'a\0b', '\0', '$1 ? :x', '\u{1f600}\n']) {
    const result = await connection.runAndReadAll(`SELECT ${sqlLiteral(text)}`);
    assert.deepEqual(result.getRows(), [[text]]);
  }
  connection.closeSync();
});
