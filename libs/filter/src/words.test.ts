import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { corpusEvents } from './contract/filter-corpus.ts';
import { globMatcher } from './glob.ts';
import {
  compilePredicate,
  equalityTerms,
  FilterSubject,
  joinedWords,
  parseFilter,
  tokenize,
} from './index.ts';
import { compareCodePoints } from './predicate/code-points.ts';
import { wordSequenceMatcher } from './predicate/words-matcher.ts';

const text = fc.string({
  unit: fc.constantFrom(
    'a',
    'B',
    '_',
    '7',
    ' ',
    '-',
    '.',
    'É',
    'Σ',
    'ς',
    'İ',
    '日',
    '\u{10400}',
    '\u0307',
    '\0',
  ),
});

describe('tokenize', () => {
  it('splits at everything but letters, digits and underscore, in lower case', () => {
    assert.deepEqual(tokenize('Time-out: user_id=5, Ünïcode日本 ΟΔΟΣ.'), [
      'time',
      'out',
      'user_id',
      '5',
      'ünïcode日本',
      'οδοσ',
    ]);
    assert.deepEqual(tokenize(' -- '), []);
  });

  it('gives the words that a plain split gives, each the same alone as in the text', () => {
    fc.assert(
      fc.property(text, (value) => {
        const plain = value
          .toLowerCase()
          .replaceAll('ς', 'σ')
          .split(/[^\p{L}\p{N}_]+/u)
          .filter(Boolean);
        assert.deepEqual(tokenize(value), plain);
        assert.equal(joinedWords(value), ` ${plain.join(' ')} `);
        assert.deepEqual(
          tokenize(value.split(/[^\p{L}\p{N}_]+/u).join(' ')),
          plain.length === 0 ? [] : tokenize(value),
        );
        for (const word of plain) assert.deepEqual(tokenize(word), [word]);
      }),
    );
  });
});

describe('the words of ASCII texts', () => {
  it('are those of the general split', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 60 }), (value) => {
        const plain = value
          .toLowerCase()
          .split(/[^\p{L}\p{N}_]+/u)
          .filter(Boolean);
        assert.deepEqual(tokenize(value), plain);
        assert.equal(joinedWords(value), ` ${plain.join(' ')} `);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a phrase', () => {
  it('is found by search exactly where its words follow each other', () => {
    fc.assert(
      fc.property(text, text, (message, phrase) => {
        fc.pre(tokenize(phrase).length > 0 && !phrase.includes('\0'));
        const result = parseFilter(`message:"${phrase}"`);
        assert.ok(result.ok);
        const found = compilePredicate(result.filter)(new FilterSubject({ ...corpusEvents[0]!, message }));
        assert.equal(found, wordSequenceMatcher(tokenize(phrase))(tokenize(message)));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('globMatcher', () => {
  it('matches what the regular expression of the same meaning matches', () => {
    const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '\\*', '\u{10400}'), maxLength: 8 });
    const value = fc.string({ unit: fc.constantFrom('a', 'b', '*', '\u{10400}'), maxLength: 10 });
    fc.assert(
      fc.property(glob, value, (pattern, candidate) => {
        const source = pattern.replaceAll(/\\\*|\*|\?/g, (sign) =>
          sign === '*' ? '.*' : sign === '?' ? '.' : sign,
        );
        assert.equal(globMatcher(pattern)(candidate), new RegExp(`^${source}$`, 'su').test(candidate));
      }),
      { numRuns: 5000 },
    );
  });
});

describe('compareCodePoints', () => {
  it('orders as the bytes of UTF-8 do', () => {
    const anyText = fc.string({ unit: fc.constantFrom('a', 'é', '\uffee', '\u{10400}', '\u{1f600}') });
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        assert.equal(Math.sign(compareCodePoints(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });
});

describe('equalityTerms', () => {
  const examples: [string, unknown][] = [
    [
      'level:>=error AND service:pay AND time',
      [
        { field: 'level', values: ['error', 'fatal'] },
        { field: 'service', values: ['pay'] },
      ],
    ],
    ['host:(a OR b)', [{ field: 'host', values: ['a', 'b'] }]],
    ['host:a OR service:b', []],
    ['host:a OR time', []],
    ['NOT host:a', []],
    ['host:a*', []],
    ['user:a', [{ field: 'attributes.user', values: ['a'] }]],
    ['attributes.size:(5.0 OR 6)', [{ field: 'attributes.size', values: ['5.0', '5', '6'] }]],
    ['size:>5', []],
    ['user:a*', []],
  ];
  for (const [filter, terms] of examples) {
    it(filter, () => {
      const result = parseFilter(filter);
      assert.ok(result.ok);
      assert.deepEqual(equalityTerms(result.filter), terms);
    });
  }
});
