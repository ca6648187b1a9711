import { parseSchema } from '@logloom/schemas';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFastSchema } from './text-type.ts';

const schema = JSON.stringify({
  type: 'record',
  name: 'R',
  fields: [
    { name: 'a', type: 'string' },
    { name: 'b', type: ['null', 'string'] },
    { name: 'c', type: { type: 'array', items: 'string' } },
    { name: 'd', type: 'long' },
  ],
});
const [plain, fast] = [parseSchema(schema), parseFastSchema(schema)];
const text = fc.oneof(
  fc.constantFrom('checkout', 'payment', 'übung', '\ud800', '😀', ''),
  fc.string({ maxLength: 200 }),
  fc.string({ unit: 'binary', maxLength: 100 }),
);
const record = fc.record({
  a: text,
  b: fc.option(text),
  c: fc.array(text, { maxLength: 5 }),
  d: fc.integer(),
});

test('texts become the same bytes as with avsc alone, and are read back as with it', () => {
  fc.assert(
    fc.property(record, (value) => {
      const bytes = plain.toBuffer(value);
      assert.deepEqual(fast.toBuffer(value), bytes);
      // Each schema has a class of its own.
      assert.deepEqual({ ...(fast.fromBuffer(bytes) as object) }, { ...(plain.fromBuffer(bytes) as object) });
    }),
    { numRuns: 1000 },
  );
});

test('a buffer that is too short is noticed as with avsc alone, wherever it ends', () => {
  fc.assert(
    fc.property(record, fc.nat(300), (value, cut) => {
      const bytes = plain.toBuffer(value);
      const [one, other] = [Buffer.alloc(cut), Buffer.alloc(cut)];
      assert.equal(fast.encode(value, one, 0), plain.encode(value, other, 0));
      const part = bytes.subarray(0, Math.min(cut, bytes.length - 1));
      const outcome = (read: () => unknown): unknown => {
        try {
          return { ...(read() as object) };
        } catch (error) {
          return (error as Error).message;
        }
      };
      assert.deepEqual(
        outcome(() => fast.fromBuffer(part)),
        outcome(() => plain.fromBuffer(part)),
      );
    }),
    { numRuns: 500 },
  );
});

test('schemas of both are equal, so that no resolver is needed between them', () => {
  assert.ok(fast.equals(plain));
  const resolver = fast.createResolver(plain);
  const bytes = plain.toBuffer({ a: 'x', b: null, c: ['y', 'y'], d: 1 });
  assert.deepEqual(
    { ...(fast.fromBuffer(bytes, resolver) as object) },
    { a: 'x', b: null, c: ['y', 'y'], d: 1 },
  );
});
