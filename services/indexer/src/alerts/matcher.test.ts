import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../errors.ts';
import { matcherText, parseMatcher } from './matcher.ts';

const labels = { alertname: 'slow', service: 'payment', team: 'shop' };

test('each operator compares the whole value, and a label that is missing is empty', () => {
  for (const [text, matches] of [
    ['service=payment', true],
    ['service=pay', false],
    ['service = "payment"', true],
    ['service!=payment', false],
    ['service!=', true],
    ['host=', true],
    ['host!=x', true],
    ['service=~pay.*', true],
    ['service=~pay', false],
    ['service=~"order|payment"', true],
    ['service!~pay.*', false],
    ['host!~.+', true],
    ['host=~.+', false],
  ] as const)
    assert.equal(parseMatcher(text).matches(labels), matches, text);
});

test('the text of a matcher reads as the same matcher', () => {
  for (const text of ['a=b', 'a!=""', 'a=~"x y"', 'a!~"\\"|\\\\d+"', 'http.status=500']) {
    const { label, operator, value } = parseMatcher(text);
    const again = parseMatcher(matcherText(parseMatcher(text)));
    assert.deepEqual([again.label, again.operator, again.value], [label, operator, value]);
  }
});

test('what is no matcher, or no regular expression, is refused with the parameter', () => {
  for (const text of [
    '',
    'service',
    '=x',
    '1a=b',
    'a=~(',
    'a="x',
    'a=~(?<n>a)\\k<n>',
    `a=${'x'.repeat(2000)}`,
  ])
    assert.throws(
      () => parseMatcher(text),
      (error: unknown) => error instanceof ApiError && error.code === 'bad-parameter',
      text,
    );
});

test('an expression that takes exponential time elsewhere is answered', () => {
  assert.equal(parseMatcher('service=~(a+)+b').matches({ service: 'a'.repeat(5000) }), false);
});
