import fc from 'fast-check';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseRules } from './parse-rules.ts';
import { maxRulesBytes, rulesJsonSchema } from './rule-schema.ts';

const docs = join(import.meta.dirname, '../../../docs/rules.md');

function problemsOf(text: string): string[] {
  const result = parseRules(text);
  assert.ok(!result.ok, 'it has problems');
  return result.problems.map(({ line, column, code, message }) => `${line}:${column} ${code} ${message}`);
}

test('all problems of a file come at once, each with its place and code', () => {
  const text = `rules:
  - name: first
    when: level:error AND (service:pay
    severity: worst
  - name: first
    when: "message:ok"
    then: 'status:>= '
    without: level:info
    count: 2
    colour: red
  - name: no good
    when: '*'
    within: soon
    webhook: ftp://x
    labels: { 'a b': c, n: 1 }
  - when: '*'
    close: maybe
    distinct: { field: message, count: 1 }
  - 7
`;
  const problems = problemsOf(text);
  const expected = [
    /^3:27 bad-rule-filter when: /,
    /^4:15 bad-rule rules\[0\]\.severity: /,
    /^5:11 duplicate-rule another rule has the name first/,
    /^7:22 bad-rule-filter then: /,
    /^8:14 bad-rule rules\[1\]\.without: a rule has `then` or `without`, not both/,
    /^8:14 bad-rule rules\[1\]\.without: `within` must say how long/,
    /^9:12 bad-rule rules\[1\]\.count: /,
    /^10:5 bad-rule rules\[1\]: unrecognized key: "colour"/,
    /^11:11 bad-rule rules\[2\]\.name: a name is/,
    /^13:13 bad-rule rules\[2\]\.within: a time is/,
    /^13:13 bad-rule rules\[2\]\.within: it belongs to/,
    /^14:14 bad-rule rules\[2\]\.webhook: is not an http or https URL/,
    /^15:22 bad-rule rules\[2\]\.labels\.a b: a label is/,
    /^15:28 bad-rule rules\[2\]\.labels\.n: /,
    /^16:5 bad-rule rules\[3\]\.name: /,
    /^17:12 bad-rule rules\[3\]\.close: close is true or final/,
    /^18:15 bad-rule rules\[3\]\.distinct: the message is not a field/,
    /^18:40 bad-rule rules\[3\]\.distinct\.count: /,
    /^19:5 bad-rule rules\[4\]: /,
  ];
  for (const pattern of expected)
    assert.ok(
      problems.some((problem) => pattern.test(problem)),
      `${pattern} in\n${problems.join('\n')}`,
    );
  assert.equal(problems.length, expected.length, problems.join('\n'));
});

test('text that is not YAML is reported with its place', () => {
  assert.match(problemsOf('rules:\n  - name: a\n   when: b\n').join(), /3:\d+ bad-yaml /);
  assert.match(problemsOf('rules: [').join(), /1:\d+ bad-yaml /);
  assert.match(problemsOf('rules:\n  - *nobody\n').join(), /bad-yaml/);
  assert.match(problemsOf('').join(), /1:1 bad-rule /);
  assert.match(problemsOf(`rules: [] # ${'x'.repeat(maxRulesBytes)}`).join(), /rules-too-large/);
});

test('any text gives rules or problems with a place in it, and never throws', () => {
  const piece = fc.constantFrom(
    ...[
      'rules:',
      '\n',
      '  - ',
      'name: a',
      'when: ',
      'level:error',
      '&a ',
      '*a',
      '[',
      '{',
      '}',
      '"',
      "'",
      '\t',
    ],
    'then: b',
    'within: 5s',
    'close: final',
    '?',
    '!!binary x',
    '<<: *a',
    '#',
    '|',
    '>',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }), (pieces) => {
      const text = pieces.join('');
      const result = parseRules(text);
      if (result.ok) return;
      assert.ok(result.problems.length > 0);
      const lines = text.split('\n').length;
      for (const { line, column } of result.problems)
        assert.ok(line >= 1 && line <= lines + 1 && column >= 1);
    }),
    { numRuns: 2000 },
  );
});

test('the version follows the text', () => {
  const version = (text: string): string => {
    const result = parseRules(text);
    assert.ok(result.ok);
    return result.rules.version;
  };
  assert.match(version('rules: []'), /^[0-9a-f]{12}$/);
  assert.equal(version('rules: []'), version('rules: []'));
  assert.notEqual(version('rules: []'), version('rules: [] '));
});

test('the JSON schema for editors is what the file is checked against', () => {
  const kept = readFileSync(join(import.meta.dirname, '../rules.schema.json'), 'utf8');
  assert.deepEqual(
    JSON.parse(kept),
    JSON.parse(JSON.stringify(rulesJsonSchema())),
    'write it again: node libs/rules/src/write-schema.ts',
  );
});

test('every example of the documentation is a good file', () => {
  const examples = [...readFileSync(docs, 'utf8').matchAll(/```yaml\n([^]*?)```/g)].map((match) => match[1]!);
  assert.ok(examples.length >= 1);
  for (const example of examples) {
    const result = parseRules(example);
    assert.deepEqual(result.ok ? [] : result.problems, [], example);
  }
});
