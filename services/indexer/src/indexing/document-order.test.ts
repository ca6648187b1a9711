import type { Correlation } from '@logloom/schemas';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DocumentOrder } from './document-order.ts';

test('of any sequence, each document that is ahead of all before it is admitted, across restarts', () => {
  const position = fc.tuple(fc.nat(5), fc.nat(3), fc.boolean());
  fc.assert(
    fc.property(fc.array(position, { maxLength: 30 }), (positions) => {
      let order = new DocumentOrder('one');
      let highest = -1;
      for (const [closeOffset, closeSequence, restart] of positions) {
        const rank = closeOffset * 10 + closeSequence;
        assert.equal(order.admit({ closeOffset, closeSequence } as Correlation), rank > highest);
        highest = Math.max(highest, rank);
        if (restart) order = DocumentOrder.parse('one', order.toMetadata());
      }
    }),
  );
});

test('metadata of others, or of another epoch, is the beginning', () => {
  const order = new DocumentOrder('another');
  order.admit({ closeOffset: 7, closeSequence: 0 } as Correlation);
  for (const metadata of [undefined, '', 'closed=x.1', '{}', order.toMetadata()])
    assert.equal(
      DocumentOrder.parse('one', metadata).admit({ closeOffset: 0, closeSequence: 0 } as Correlation),
      true,
    );
});
