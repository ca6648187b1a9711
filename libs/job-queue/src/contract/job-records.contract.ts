import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JobRecords } from '../job-records.ts';

/** What every adapter of JobRecords has to do. `open` returns an empty store. */
export function jobRecordsContract(name: string, open: () => Promise<JobRecords>): void {
  describe(`job records: ${name}`, () => {
    test('returns what was put, by kind and id, and the last value counts', async () => {
      const records = await open();
      await records.put('a', '2', { n: 1, text: 'größer' });
      await records.put('a', '1', [null, 'x']);
      await records.put('b', '1', 7);
      await records.put('a', '2', { n: 2 });
      assert.deepEqual(await records.get('a', '2'), { n: 2 });
      assert.equal(await records.get('b', '2'), undefined);
      assert.deepEqual(await records.list('a'), [
        { id: '1', value: [null, 'x'] },
        { id: '2', value: { n: 2 } },
      ]);
      await records.close();
    });

    test('puts many at once', async () => {
      const records = await open();
      await records.put('a', '2', 'old');
      await records.putAll('a', [
        { id: '1', value: 1 },
        { id: '2', value: 2 },
      ]);
      await records.putAll('a', []);
      assert.deepEqual(await records.list('a'), [
        { id: '1', value: 1 },
        { id: '2', value: 2 },
      ]);
      await records.close();
    });

    test('deletes many at once', async () => {
      const records = await open();
      await records.putAll(
        'a',
        ['1', '2', '3'].map((id) => ({ id, value: id })),
      );
      await records.put('b', '1', 'other');
      await records.deleteAll('a', ['1', '3', 'none']);
      await records.deleteAll('a', []);
      assert.deepEqual(await records.list('a'), [{ id: '2', value: '2' }]);
      assert.deepEqual(await records.list('b'), [{ id: '1', value: 'other' }]);
      await records.close();
    });

    test('pages of a prefix hold each record once, and usage counts them', async () => {
      const records = await open();
      const ids = Array.from({ length: 25 }, (_, i) => `h*[1]/${String(i).padStart(2, '0')}`);
      await records.putAll(
        'a',
        [...ids, 'h*[2]/0', 'hx1/0', 'z'].map((id) => ({ id, value: { id } })),
      );
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await records.page('a', 'h*[1]/', 10, cursor);
        for (const { id, value } of page.entries) {
          assert.deepEqual(value, { id });
          found.push(id);
        }
        cursor = page.next;
      } while (cursor !== undefined);
      assert.deepEqual(found.sort(), ids);
      const bytes = ids.reduce((sum, id) => sum + id.length + JSON.stringify({ id }).length, 0);
      assert.deepEqual(await records.usage('a', 'h*[1]/'), { count: 25, bytes });
      assert.deepEqual(await records.usage('b', ''), { count: 0, bytes: 0 });
      assert.equal((await records.usage('a', '')).count, 28);
      await records.close();
    });

    test('replaces only what is there', async () => {
      const records = await open();
      assert.equal(await records.replace('a', '1', 1), false);
      assert.equal(await records.get('a', '1'), undefined);
      await records.put('a', '1', 1);
      assert.equal(await records.replace('a', '1', 1), true);
      assert.equal(await records.replace('a', '1', 2), true);
      assert.equal(await records.get('a', '1'), 2);
      assert.equal(await records.delete('a', '1'), true);
      assert.equal(await records.delete('a', '1'), false);
      assert.equal(await records.replace('a', '1', 3), false);
      assert.deepEqual(await records.list('a'), []);
      await records.close();
    });
  });
}
