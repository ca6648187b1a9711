import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unboundedIn } from './bounded-pattern.ts';
import { SettingsError } from './settings-error.ts';
import { parseSettings } from './settings.ts';

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
