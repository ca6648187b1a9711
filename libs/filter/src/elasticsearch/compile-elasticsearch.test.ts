import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compileElasticsearch, elasticsearchAttributes, elasticsearchWords, parseFilter } from '../index.ts';
import { sortableNumber } from './attributes.ts';

function queryOf(text: string): unknown {
  const result = parseFilter(text);
  assert.ok(result.ok, text);
  return compileElasticsearch(result.filter);
}

const five = 'c014000000000000';
const examples: [string, unknown][] = [
  ['*', { match_all: {} }],
  ['NOT *', { match_none: {} }],
  ['level:>=error', { terms: { 'log.level': ['error', 'fatal'] } }],
  ['service:pay', { term: { 'service.name': 'pay' } }],
  ['service:p?y*', { wildcard: { 'service.name': { value: 'p?y*' } } }],
  ['host:*', { exists: { field: 'host.name' } }],
  ['host:{a TO b]', { range: { 'host.name': { gt: 'a', lte: 'b' } } }],
  ['Time', { term: { 'logloom.words': 'time' } }],
  ['"time out"', { match_phrase: { 'logloom.words': 'time out' } }],
  ['tim*', { prefix: { 'logloom.words': { value: 'tim' } } }],
  ['*out*', { wildcard: { 'logloom.words': { value: '*out*' } } }],
  [
    'foo-ba*',
    {
      span_near: {
        clauses: [
          { span_term: { 'logloom.words': 'foo' } },
          { span_multi: { match: { prefix: { 'logloom.words': { value: 'ba' } } } } },
        ],
        slop: 0,
        in_order: true,
      },
    },
  ],
  ['NOT host:a', { bool: { must_not: [{ term: { 'host.name': 'a' } }] } }],
  ['host:a b', { bool: { filter: [{ term: { 'host.name': 'a' } }, { term: { 'logloom.words': 'b' } }] } }],
  [
    'host:(a OR b)',
    {
      bool: {
        should: [{ term: { 'host.name': 'a' } }, { term: { 'host.name': 'b' } }],
        minimum_should_match: 1,
      },
    },
  ],
  [
    'offset:(>=2 AND <=2)',
    {
      bool: {
        filter: [{ range: { 'logloom.offset': { lte: 2 } } }, { range: { 'logloom.offset': { gte: 2 } } }],
      },
    },
  ],
  [
    'timestamp:[2023-01-30 TO 2023-01-31}',
    { range: { 'logloom.timestamp': { gte: 1_675_036_800_000_000, lte: 1_675_123_199_999_999 } } },
  ],
  ['timestamp:<1960-01-01', { range: { 'logloom.timestamp': { lte: -315_619_200_000_001 } } }],
  ['a.b:*', { prefix: { 'logloom.attributes': { value: 'a.b\0' } } }],
  ['a.b:x', { term: { 'logloom.attributes': 'a.b\0x' } }],
  ['a\\*b:x*', { wildcard: { 'logloom.attributes': { value: 'a\\*b\0x*' } } }],
  ['a:>=5', { range: { 'logloom.numbers': { gte: `a\0${five}`, lt: 'a\u0001' } } }],
  ['a:{* TO 5]', { range: { 'logloom.numbers': { gte: 'a\0', lt: `a\0${five}~` } } }],
  ['a:{x TO *]', { range: { 'logloom.attributes': { gt: 'a\0x', lt: 'a\u0001' } } }],
  [
    'a:5.0',
    {
      bool: {
        should: [
          { term: { 'logloom.attributes': 'a\u00005.0' } },
          { term: { 'logloom.numbers': `a\0${five}n` } },
        ],
        minimum_should_match: 1,
      },
    },
  ],
];

describe('compileElasticsearch', () => {
  for (const [text, query] of examples) it(text, () => assert.deepEqual(queryOf(text), query));
});

describe('elasticsearchAttributes', () => {
  it('gives each value under its dotted path, numbers twice', () => {
    assert.deepEqual(elasticsearchAttributes('{"a":{"b":[5,"5",null,{"c":true}]},"a.b":"x"}'), {
      labels: { 'a.b': ['5', '5', 'x'], 'a.b.c': ['true'] },
      attributes: ['a.b\u00005', 'a.b\0x', 'a.b.c\0true'],
      numbers: [`a.b\0${five}n`, `a.b\0${five}s`],
      doubles: { 'a%002eb': [5] },
    });
  });

  it('leaves out a value that Lucene has no room for, and a path with U+0000', () => {
    const found = elasticsearchAttributes(JSON.stringify({ long: 'é'.repeat(17_000), 'a\0b': 1, kept: 'x' }));
    assert.deepEqual(found, { labels: { kept: ['x'] }, attributes: ['kept\0x'], numbers: [], doubles: {} });
  });

  it('names the numbers of a path so that Elasticsearch takes the document', () => {
    const { doubles } = elasticsearchAttributes(
      JSON.stringify({ ms: ['1', 1, 2.5, '3ms'], ' ': 1, 'a*': 2, 'ü.': 3, '': 4, ['x'.repeat(201)]: 5 }),
    );
    assert.deepEqual(doubles, { ms: [1, 2.5], '%0020': [1], 'a%002a': [2], '%00fc%002e': [3] });
    const hostile = elasticsearchAttributes('{"__proto__":1}').doubles;
    assert.equal(JSON.stringify(hostile), '{"__proto__":[1]}');
  });

  it('writes numbers so that they sort as numbers', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (a, b) => {
        const [left, right] = [sortableNumber(a), sortableNumber(b)];
        assert.equal(left.length, 16);
        assert.equal(left < right, a < b);
        assert.equal(left === right, a === b);
      }),
    );
  });
});

describe('elasticsearchWords', () => {
  it('leaves words as they are, but for those that the analyzer would cut', () => {
    const long = 'x'.repeat(300);
    const [first, second, third] = elasticsearchWords(`Time-out ${long} ${long}y`).split(' ').slice(1);
    assert.deepEqual([elasticsearchWords('Time-out'), first], ['time out', 'out']);
    assert.match(second!, /^x{200}[\ue000-\ue00f]{40}$/);
    assert.notEqual(second, third);
    assert.deepEqual(queryOf(long), { term: { 'logloom.words': second } });
    assert.ok(elasticsearchWords(`${'x'.repeat(199)}${'𐐨'.repeat(99)}`).isWellFormed());
  });
});
