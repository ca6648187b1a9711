import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unboundedIn } from './bounded-pattern.ts';
import { stepsOf } from './pattern-steps.ts';
import { SettingsError } from '@logloom/settings';
import { parseSettings } from '../settings.ts';

test('patterns that may take long are refused with their reason', () => {
  for (const pattern of ['\\bEMP-\\d{6}\\b', '[a-z+*]{1,64}', 'a\\+b', '(?:a|b)c?', 'x{3}', '\\p{L}{1,8}'])
    assert.equal(unboundedIn(pattern), undefined, pattern);
  for (const [pattern, reason] of [
    ['(a+)+b', /has \+/],
    ['a*', /has \*/],
    ['a{2,}', /upper bound/],
    ['(a|b){1,3}', /group/],
    ['(a)\\1', /back-reference/],
    ['(?=a)', /look-around/],
    ['(?<!a)b', /look-around/],
    ['a{0,999}b{0,999}', /ways/],
  ] as const)
    assert.match(unboundedIn(pattern) ?? '', reason, pattern);
});

test('patterns for ids are of the same kind: a whole message is searched in no time', () => {
  for (const pattern of ['(a+)+b', '(.*)*x', 'id=(\\w+)', '(a|aa){1,99}$']) {
    const INGEST_ID_PATTERNS = pattern;
    assert.throws(() => parseSettings({ INGEST_ID_PATTERNS }), SettingsError, pattern);
  }
  const slowest = parseSettings({ INGEST_ID_PATTERNS: 'a{0,30}a{0,30}b' }).INGEST_ID_PATTERNS[0]!;
  // A catastrophic one would take longer than the test may.
  assert.equal(new RegExp(slowest, 'u').exec('a'.repeat(16_384)), null);
  assert.equal(parseSettings({}).INGEST_ID_PATTERNS.length, 2);
  assert.equal(
    parseSettings({ INGEST_ID_PATTERNS: '\\bid=([\\w-]{1,64})\n#(\\d{1,20})\\b' }).INGEST_ID_PATTERNS.length,
    2,
  );
});

test('steps: what follows a choice is tried again for each way', () => {
  for (const [pattern, steps] of [
    ['abc', 3],
    ['\\bid=([\\w-]{1,64})', 68],
    ['a{0,30}a{0,30}b', 30 + 31 * (30 + 31)],
    ['(?:a|bc)d', 2 + 3],
    ['(?<n>a)?b', 3],
    ['[^\\]a]{2}\\p{Lu}\\u{1F600}x?y', 2 + 1 + 1 + 3],
    ['a{2,3}?b', 5],
  ] as const)
    assert.equal(stepsOf(pattern), steps, pattern);
});

test('all patterns together are bounded, so that nobody waits for one message', () => {
  const problemOf = (settings: Record<string, string>): string => {
    try {
      parseSettings(settings);
      return '';
    } catch (error) {
      return String((error as SettingsError).problems);
    }
  };
  assert.match(
    problemOf({ INGEST_ID_PATTERNS: '.{0,999}x\n.{0,99}y' }),
    /steps at each place of a text.* in \.\{0,999\}x/,
  );
  assert.match(problemOf({ INGEST_REDACT_PATTERNS: 'a=[a-z]{1,64}@x' }), /more than 100/);
  assert.equal(problemOf({ INGEST_REDACT_PATTERNS: 'a=\\bEMP-\\d{6}\\b\nb=sk_live_\\w{8,32}' }), '');
});

test('each wrong pattern of INGEST_REDACT_PATTERNS stops the start', () => {
  const problems = (INGEST_REDACT_PATTERNS: string) => {
    try {
      parseSettings({ INGEST_REDACT_PATTERNS });
      return [];
    } catch (error) {
      assert.ok(error instanceof SettingsError);
      return error.problems;
    }
  };
  assert.deepEqual(problems('a=x{1,9}\nb=y='), []);
  const [slow, nameless, broken, ...others] = problems('slow=x+\nno name\nbad=(');
  assert.match(slow!, /slow has \+/);
  assert.match(nameless!, /name=regular expression/);
  assert.match(broken!, /name=regular expression/);
  assert.deepEqual(others, []);
});
