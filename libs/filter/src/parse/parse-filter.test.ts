import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { corpusEvents, corpusFilters, generateCorpusEvents } from '../contract/filter-corpus.ts';
import { compilePredicate, FilterSubject, parseFilter } from '../index.ts';

function canonical(text: string): string {
  const result = parseFilter(text);
  assert.ok(result.ok, `${text}: ${JSON.stringify(result)}`);
  return result.filter.canonical;
}

const sameMeaning: [string, ...string[]][] = [
  ['', '*', '*:*', ' ', 'NOT NOT *', 'level:*', 'message:*', 'service:[* TO *]', 'timestamp:*'],
  ['a AND b OR c', 'c OR (b AND a)', 'c || b && a', '(b a) OR c', 'a b OR c'],
  ['a OR b AND c OR d', 'd OR (c b) OR a'],
  ['a AND NOT b', 'a -b', 'a !b', '+a NOT b', 'a AND  NOT  b', 'NOT(b)AND a', 'a --NOT b'],
  ['a OR NOT b', 'a OR  NOT b', 'NOT b OR a', '-b || a'],
  [
    'level:>=warn',
    'level:[warning TO *]',
    'level:(fatal OR ERR OR warn)',
    'NOT level:<warn',
    'log.level:{info TO fatal]',
  ],
  ['host.name:x', 'host:"x"', 'host:(x)', 'host: x', '((host:x))', 'host:x AND host:x'],
  ['f:-5', 'f:"-5"', 'attributes.f:\\-5', 'f:(\\-5)'],
  ['f:>=5', 'f:[5 TO *]', 'f:>= "5.0"', 'f:(>=5)'],
  ['f:(a b OR c)', 'f:c OR (f:a AND f:b)'],
  ['"time out"', 'TIME-OUT', 'message:time\\ out', 'message:("time, out")'],
  [
    'timestamp:2023-01-30T00:00:00Z',
    'time:2023-01-30',
    '@timestamp:"2023-01-30"',
    'time:1675036800000',
    'time:[2023-01-30 TO 2023-01-30]',
  ],
  ['offset:>1.5', 'offset:>=2', 'offset:{1 TO *]'],
  ['host:a**?', 'host:a?*'],
  ['\\NOT', '"not"', 'message:NOT'],
];

const refused: [string, number][] = [
  ['a AND ', 2],
  ['a OR', 2],
  ['AND a', 0],
  ['a AND OR b', 6],
  ['NOT', 0],
  ['a NOT', 2],
  ['(a', 0],
  ['a)', 1],
  ['()', 0],
  ['a ()', 2],
  ['/x/', 0],
  ['f:/x/', 2],
  ['a~', 1],
  ['a~2', 1],
  ['"a b"~2', 5],
  ['a^2', 1],
  ['(a)^2', 3],
  ['f:', 2],
  ['f: )', 3],
  [':a', 0],
  ['"a', 0],
  ['a "', 2],
  ['level:loud', 6],
  ['level:[info TO loud]', 15],
  ['level:x*', 6],
  ['"--"', 0],
  ['f:""', -1],
  ['time:soon', 5],
  ['time:[2023-01-01 TO soon]', 20],
  ['offset:x', 7],
  ['offset:1*', 7],
  ['message:>5', 8],
  ['[a TO b]', 1],
  ['f:[a b]', 2],
  ['f:[a TO b', 2],
  ['f:[a* TO b]', 3],
  ['h*st:x', 0],
  ['"f":x', 0],
  ['- a', 0],
  ['+a OR b', 0],
  ['a&&b', 1],
  ['a\\', 1],
  ['f:{"a":1}', 3],
  ['a\0', 1],
  ['a'.repeat(4097), 4096],
  ['a '.repeat(65), 128],
  ['('.repeat(33), 32],
  ['attributes.:x', 12],
];

describe('parseFilter', () => {
  for (const [first, ...others] of sameMeaning) {
    it(`reads ${first || 'the empty text'} and its other spellings alike`, () => {
      for (const other of others) assert.equal(canonical(other), canonical(first), other);
    });
  }

  it('refuses what it does not read, and says where', () => {
    for (const [text, position] of refused) {
      const result = parseFilter(text);
      const found = result.ok ? -1 : result.error.position;
      assert.equal(found, position, `${text.slice(0, 40)}: ${JSON.stringify(result)}`);
    }
  });

  it('keeps its limits in the canonical form', () => {
    const wide = Array.from({ length: 32 }, (_, i) => `(NOT level:warn AND w${i})`).join(' OR ');
    const result = parseFilter(wide);
    assert.ok(!result.ok && /too large/.test(result.error.message), JSON.stringify(result));
  });
});

const pieces = fc.constantFrom(
  'a',
  'time',
  'out',
  'level',
  'error',
  ':',
  ' ',
  ' ',
  '(',
  ')',
  '"',
  ' AND ',
  ' OR ',
  'NOT ',
  '-',
  '+',
  '!',
  '*',
  '?',
  '\\',
  '[',
  ']',
  '{',
  '}',
  ' TO ',
  '>=',
  '<',
  '5',
  '~',
  '^',
  '/',
  '&&',
  '||',
  'user.id:',
  '\t',
  '\u00a0',
  '😀',
  '\ud800',
  'é',
  '2023-01-30',
);
const soup = fc.array(pieces, { maxLength: 25 }).map((parts) => parts.join(''));
const clause = fc.oneof(
  fc.constantFrom(...corpusFilters.filter((text) => text !== '')),
  fc.string().map((s) => `f:"${s.replaceAll(/["\\\0]/g, '\\"')}"`),
);
const { filter: combined } = fc.letrec<{ filter: string }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'filter' },
    clause,
    fc
      .tuple(tie('filter'), fc.constantFrom(' AND ', ' OR ', ' ', ' AND NOT '), tie('filter'))
      .map((parts) => parts.join('')),
    tie('filter').map((inner) => `(${inner})`),
    tie('filter').map((inner) => `NOT (${inner})`),
  ),
}));

describe('any text', () => {
  it('is a filter or an error with a place in the text', () => {
    fc.assert(
      fc.property(fc.oneof(soup, fc.string({ unit: 'binary', maxLength: 60 })), (text) => {
        const result = parseFilter(text);
        if (!result.ok) {
          assert.equal(result.error.code, 'bad-filter');
          assert.ok(result.error.position >= 0 && result.error.position <= text.length);
        } else assert.equal(canonical(result.filter.canonical), result.filter.canonical);
      }),
      { numRuns: 5000 },
    );
  });

  it('has a canonical form that is its own canonical form and matches the same events', () => {
    const subjects = [...corpusEvents, ...generateCorpusEvents(100)].map((event) => new FilterSubject(event));
    fc.assert(
      fc.property(combined, (text) => {
        const first = parseFilter(text);
        if (!first.ok) return;
        const second = parseFilter(first.filter.canonical);
        assert.ok(second.ok, JSON.stringify(second));
        assert.equal(second.filter.canonical, first.filter.canonical);
        const [before, after] = [compilePredicate(first.filter), compilePredicate(second.filter)];
        for (const subject of subjects) assert.equal(after(subject), before(subject));
      }),
      { numRuns: 500 },
    );
  });
});
