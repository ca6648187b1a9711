import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RejectedError } from '../../errors.ts';
import { parseLabels } from './parse-labels.ts';

test('labels as Prometheus writes them', () => {
  const cases: [text: string, labels: Record<string, string>][] = [
    ['{}', {}],
    [' { a = "b" , c="d", } ', { a: 'b', c: 'd' }],
    ['{a="}",b="x,y=\\"z\\""}', { a: '}', b: 'x,y="z"' }],
    ['{a="\\n\\t\\\\\\u00e9\\U0001F600\\x41\\101"}', { a: '\n\t\\é😀AA' }],
    ['{"a.b c"="d"}', { 'a.b c': 'd' }],
    ['{__name__="x"}', { __name__: 'x' }],
  ];
  for (const [text, labels] of cases) assert.deepEqual({ ...parseLabels(text) }, labels, text);
  for (const text of ['', 'a', '{', '{a}', '{a=b}', '{a="b" c="d"}', '{a="b}', '{1a="b"}', '{,}'])
    assert.throws(() => parseLabels(text), RejectedError, text);
});

test('what is written is read, and any other text is refused', () => {
  const name = fc.stringMatching(/^[a-z_]\w{0,8}$/);
  fc.assert(
    fc.property(fc.dictionary(name, fc.string({ unit: 'grapheme' }), { noNullPrototype: true }), (labels) => {
      const text = Object.entries(labels).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
      assert.deepEqual({ ...parseLabels(`{${text.join(', ')}}`) }, labels);
    }),
  );
  const parts = fc.constantFrom('{', '}', 'a', '=', '"', ',', '\\', ' ', 'u00', '\n');
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 30 }), (pieces) => {
      try {
        parseLabels(pieces.join(''));
      } catch (error) {
        assert.ok(error instanceof RejectedError);
      }
    }),
    { numRuns: 1000 },
  );
});
