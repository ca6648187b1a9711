import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTraceparent, parseTraceparent } from './traceparent.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

test('reads the example of the standard', () => {
  assert.deepEqual(parseTraceparent(`00-${traceId}-${spanId}-01`), { traceId, spanId, sampled: true });
  assert.deepEqual(parseTraceparent(`00-${traceId}-${spanId}-00`), { traceId, spanId, sampled: false });
});

test('reads a later version with more fields, and flags that it does not know', () => {
  assert.deepEqual(parseTraceparent(`cc-${traceId}-${spanId}-03-what`), { traceId, spanId, sampled: true });
  assert.equal(parseTraceparent(`00-${traceId}-${spanId}-fe`)?.sampled, false);
});

test('what the standard calls invalid is none', () => {
  for (const text of [
    '',
    `ff-${traceId}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId}-${spanId}-01-what`,
    `00-${traceId}-${spanId}`,
    `00-${traceId}-${spanId}-1`,
  ])
    assert.equal(parseTraceparent(text), undefined, text);
});

test('what is written is read again', () => {
  const hex = (length: number) =>
    fc
      .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
      .map((digits) => digits.join(''))
      .filter((text) => /[^0]/.test(text));
  fc.assert(
    fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, sampled) => {
      const position = { traceId, spanId, sampled };
      assert.deepEqual(parseTraceparent(formatTraceparent(position)), position);
    }),
  );
});
