import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addIds, maxIds } from './member-ids.ts';
import { shapeOf, templateHash } from './message-shape.ts';

test('messages of one template differ in what has a digit only', () => {
  const same = (a: string, b: string): boolean => templateHash('s', a) === templateHash('s', b);
  assert.ok(same('order 17 of 10.0.0.7:80 paid', 'order 4 of 192.168.1.20:8080 paid'));
  assert.ok(same('req-38101a0b-2096-447d done at 12:30:01.5', 'req-99999999-aaaa-1111 done at 1:02:03'));
  assert.ok(!same('order 17 paid', 'order 17 refused'));
  assert.ok(!same('order paid', 'order 17 paid'));
  assert.ok(!same('a b', 'ab'));
  assert.notEqual(templateHash('a', 'bc'), templateHash('ab', 'c'));
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(digits, digits, digits, digits, (a, b, c, d) => {
      assert.ok(same(`user ${a} took item-${b}`, `user ${c} took item-${d}`));
    }),
  );
});

test('the shape of a set of templates does not depend on their order', () => {
  const hash = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(fc.uniqueArray(hash, { minLength: 1, maxLength: 8 }), (hashes) => {
      const shape = shapeOf(hashes);
      assert.match(shape, /^[0-9a-f]{16}$/);
      assert.equal(shapeOf(hashes.toReversed()), shape);
      assert.notEqual(shapeOf(hashes.slice(1)), shape);
    }),
  );
});

test('other ids are found in the trace id and the attributes, each once, in order, bounded', () => {
  const ids = (attributes: object, traceId: string | null = null): string[] | null =>
    addIds(null, 'own', { correlationId: 'own', traceId, attributes: JSON.stringify(attributes) });
  assert.equal(ids({ a: 1 }), null);
  assert.equal(ids({ requestId: 'own' }, 'own'), null);
  assert.deepEqual(ids({ sessionId: 's"\\ü', requestId: 'r', x: '"requestId":"no"' }, 't'), [
    't',
    'r',
    's"\\ü',
  ]);
  assert.deepEqual(ids({ text: '"requestId":"in a text"' }), null);
  let all: string[] | null = null;
  for (let i = 0; i < 2 * maxIds; i++)
    all = addIds(all, 'own', { correlationId: 'own', traceId: `t${i % 40}`, attributes: '{}' });
  assert.deepEqual(
    all,
    Array.from({ length: maxIds }, (_, i) => `t${i}`),
  );
});
