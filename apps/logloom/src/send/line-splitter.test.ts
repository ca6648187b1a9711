import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineSplitter, type Line } from './line-splitter.ts';

test('lines and their ends, however the bytes come', () => {
  const text = fc
    .array(fc.constantFrom('a', 'bc', '\n', '\r\n', '\r', 'ü'), { maxLength: 40 })
    .map((p) => p.join(''));
  fc.assert(
    fc.property(text, fc.array(fc.nat()), fc.nat(100), (input, cuts, offset) => {
      const bytes = Buffer.from(input);
      const splitter = new LineSplitter(offset, 1000);
      const bounds = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
      const lines: Line[] = [];
      for (let i = 1; i < bounds.length; i++)
        lines.push(...splitter.push(bytes.subarray(bounds[i - 1], bounds[i])));
      lines.push(...splitter.flush());
      const expected = input.split('\n');
      if (expected.at(-1) === '') expected.pop();
      assert.deepEqual(
        lines.map((line) => line.bytes.toString()),
        expected.map((line) => line.replace(/\r$/, '')),
      );
      let end = offset;
      for (const [i, line] of lines.entries()) {
        end += Buffer.byteLength(expected[i]!) + 1;
        assert.equal(line.end, Math.min(end, offset + bytes.length));
      }
    }),
    { numRuns: 500 },
  );
});

test('a line that is too long comes in pieces', () => {
  const splitter = new LineSplitter(0, 10);
  const lines = [...splitter.push(Buffer.from(`${'x'.repeat(25)}\nnext\n`)), ...splitter.flush()];
  assert.deepEqual(
    lines.map(({ bytes, end }) => [bytes.length, end]),
    [
      [10, 10],
      [10, 20],
      [5, 26],
      [4, 31],
    ],
  );
});
