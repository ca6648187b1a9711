import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeControls, escapeOutput } from './escape-controls.ts';

const table: readonly [what: string, text: string, shown: string][] = [
  ['a line feed', 'a\n2026-01-01 ERROR forged', 'a\\n2026-01-01 ERROR forged'],
  ['a carriage return', 'a\rb', 'a\\rb'],
  ['an escape sequence', '\u001b[2J', '\\u001b[2J'],
  ['C1: CSI in one character', '\u009b31m', '\\u009b31m'],
  ['DEL', '\u007f', '\\u007f'],
  ['a right-to-left override', 'a\u202etxt.exe', 'a\\u202etxt.exe'],
  ['an isolate', '\u2066a\u2069', '\\u2066a\\u2069'],
  ['a zero-width space', 'ad\u200bmin', 'ad\\u200bmin'],
  ['a byte order mark', '\ufeffa', '\\ufeffa'],
  ['a line separator', 'a\u2028b', 'a\\u2028b'],
  ['a tag character', '\u{e0041}', '\\udb40\\udc41'],
  ['half a character', '\ud800', '\\ud800'],
  ['what is harmless', 'Grüße\t卡 👍 «a»', 'Grüße\t卡 👍 «a»'],
];

for (const [what, text, shown] of table)
  test(`${what} is shown, not obeyed`, () => assert.equal(escapeControls(text), shown));

test('output keeps its line feeds and colours, and nothing else of the kind', () => {
  assert.equal(escapeOutput('\u001b[31mred\u001b[39m\nnext'), '\u001b[31mred\u001b[39m\nnext');
  assert.equal(escapeOutput('\u001b]0;title\u0007 \u009b2J \r'), '\\u001b]0;title\\u0007 \\u009b2J \\u000d');
});

test('JSON that passes the guard is the same JSON, and holds no character that a terminal obeys', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
      const json = JSON.stringify({ value, text });
      const safe = escapeOutput(json);
      assert.deepEqual(JSON.parse(safe), JSON.parse(json));
      assert.doesNotMatch(safe, /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/);
    }),
  );
});
