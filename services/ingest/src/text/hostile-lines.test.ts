import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { knownLayouts } from './layouts/all-layouts.ts';
import { compileFormat, createUserFormats } from './formats/user-formats.ts';
import { compilePattern } from './pattern/compile-pattern.ts';
import { PatternError } from './pattern/parse-pattern.ts';
import { readText } from './read-text.ts';
import { TextReader } from './text-reader.ts';
import { timeZone } from './time/time-zone.ts';

const context = { receivedAtMs: Date.parse('2025-12-01T12:00:00Z'), zone: timeZone('UTC')! };
/** For lines of this length, whatever needs more than time in proportion to them takes minutes. */
const length = 300_000;
const seconds = 60_000;
const units = [
  ' ',
  '\t',
  'a',
  'A',
  '0',
  '-',
  '[',
  ']',
  '(',
  ')',
  '<',
  '"',
  '\\',
  '\\"',
  '{"',
  '}',
  '} ',
  '.',
  '::',
  ': ',
  '=',
  'a=b ',
  'a="',
  '|',
  ' | ',
  '] ',
  '[a] ',
  ' - ',
  '#',
  '/',
  'a.',
  'A::',
  '(A',
  ' at ',
  '%',
  '\u001b[',
  '\u001b]',
  'ERROR ',
  '1:',
  '\n',
  '\n ',
  '\n#0 ',
  '\nA.b(',
  '}\n{',
];
const fronts = [
  '',
  ...knownLayouts.flatMap(({ examples }) =>
    examples.map(([text]) => text.slice(0, Math.ceil(text.length * 0.7))),
  ),
];

test('no line takes longer than its length allows, whatever it begins with', { timeout: seconds }, () => {
  for (const unit of units) {
    const tail = unit.repeat(length / unit.length);
    for (const front of unit.includes('\n')
      ? ['', 'Traceback (most recent call last):']
      : ['', '2025-03-14 09:26:53 '])
      readText(front + tail, context);
    const reader = new TextReader({});
    let end = 0;
    for (const line of `x${tail}`.split('\n')) reader.push(line, (end += line.length + 1));
    reader.flush();
  }
  // The beginnings of every layout, so that each comes as far as it can.
  for (const [i, front] of fronts.entries())
    readText(front + units[i % units.length]!.repeat(length / 3), context);
});

test('nor does a pattern of anybody', { timeout: seconds }, () => {
  const part = fc.constantFrom(
    '%{DATA:a} ',
    '%{DATA:b}-',
    '%{NOTSPACE:c} ',
    '%{WORD:d}',
    '(%{DATA:e}:)?',
    '(%{INT:f}|%{WORD:g}|%{DATA:h} )',
    '%{QUOTED:i}',
    ' ',
    '((%{DATA:j} )?(%{DATA:k}=)?)?',
    '%{LOGGER:l}',
    '%{TIME}',
    '%{LEVEL:level}',
    '[',
    'x',
    '%{SPACE}',
    '%{HOST:m}',
  );
  const texts = fc
    .array(fc.constantFrom(...units.filter((unit) => !unit.includes('\n'))), { minLength: 1, maxLength: 5 })
    .map((each) => each.join(''));
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 30 }), texts, (parts, text) => {
      const { match } = compilePattern(parts.join(''));
      match(text.repeat(20_000 / text.length), context);
    }),
    { numRuns: 300 },
  );
});

test('what is read of any text is a field or an attribute, and of any pattern a problem or a pattern', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.constantFrom(...fronts), (text, front) => {
      const event = readText(front + text, context);
      assert.equal(
        typeof event['message'] === 'string' ||
          'msg' in event ||
          'event' in event ||
          'err' in event ||
          'error' in event,
        true,
      );
      JSON.stringify(event);
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(
      fc.string({ maxLength: 60 }),
      fc.constantFrom('', '%{', '(', '%{DATA:a}', '|', '\\'),
      (a, b) => {
        try {
          const formats = createUserFormats([compileFormat({ name: 'x', pattern: `${b}${a}${b}` })]);
          readText(a, { ...context, formats: formats.table });
        } catch (error) {
          assert.ok(error instanceof PatternError, String(error));
        }
      },
    ),
    { numRuns: 2000 },
  );
});
