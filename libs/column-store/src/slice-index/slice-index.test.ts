import { DuckDBInstance } from '@duckdb/node-api';
import { temporaryFolder } from '@logloom/testing';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BlockWords } from './block-words.ts';
import { blocksPath, SliceIndex, wordsPath } from './slice-index.ts';
import { writeSliceIndex } from './write-slice-index.ts';

test('the words of a block are counted once a row', () => {
  const rows = fc.array(
    fc.array(fc.constantFrom('a', 'b', 'ab', 'é', 'テスト', 'x1', 'x2', 'long'.repeat(20))),
  );
  fc.assert(
    fc.property(fc.array(rows, { maxLength: 3 }), (blocks) => {
      const words = new BlockWords();
      for (const block of blocks) {
        words.clear();
        words.add(Buffer.from(block.map((row) => ` ${row.join(' ')} `).join('\n')));
        const wanted = new Map<string, number>();
        for (const row of block)
          for (const word of new Set(row)) wanted.set(word, (wanted.get(word) ?? 0) + 1);
        assert.deepEqual(new Map(words.entries()), wanted);
      }
    }),
  );
  const many = new BlockWords();
  for (let i = 0; i < 50_000; i++) many.add(Buffer.from(` w${i} w${i % 7} `));
  assert.equal([...many.entries()].length, 50_000);
});

test('an index names the blocks with a word or an id, and leaves out most others', async () => {
  const { path: folder } = temporaryFolder('slice-index');
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  const slice = join(folder, "it's-1.parquet");
  const rows = 1000;
  await connection.run(
    `COPY (SELECT ' all b' || i // 100 || ' r' || i || ' ' AS words, make_timestamp(i * 1000) AS timestamp, 't' || i // 10 AS trace_id,
       's' || i AS span_id, CASE WHEN i < 500 THEN 'c' || i // 50 WHEN i = 750 THEN 'two' || chr(10) || 'lines' END AS correlation_id FROM range(${rows}) r(i))
     TO '${slice.replaceAll("'", "''")}' (FORMAT parquet)`,
  );
  assert.equal(await writeSliceIndex(connection, slice, rows), false, 'too small');
  const aborted = { blockRows: 100, leastRows: 1, signal: AbortSignal.abort() };
  assert.equal(await writeSliceIndex(connection, slice, rows, aborted), false);
  assert.equal(SliceIndex.open(slice), undefined);
  assert.equal(await writeSliceIndex(connection, slice, rows, { blockRows: 100, leastRows: 1 }), true);
  assert.ok(existsSync(blocksPath(slice)));
  assert.equal(readdirSync(folder).length, 3, 'nothing temporary stays');
  const index = SliceIndex.open(slice)!;
  assert.deepEqual(index.blocks[3], { rows: 100, fromMicros: 300_000, toMicros: 399_000 });
  let others = 0;
  for (let i = 0; i < rows; i++) {
    const block = Math.floor(i / 100);
    for (const found of [
      index.blocksWithId('trace_id', `t${Math.floor(i / 10)}`),
      index.blocksWithId('span_id', `s${i}`),
    ]) {
      assert.ok(found.includes(block));
      others += found.length - 1;
    }
  }
  assert.ok(others < rows * 2 * 9 * 0.05, `${others} blocks were named without reason`);
  assert.ok(index.blocksWithId('correlation_id', 'c7').includes(3));
  assert.ok(index.blocksWithId('correlation_id', 'two\nlines').includes(7));
  const result = await connection.runAndReadAll(
    `SELECT word, "rows", blocks, rows_of_blocks FROM read_parquet('${wordsPath(slice).replaceAll("'", "''")}')
     WHERE word IN ('all', 'b3', 'r777') ORDER BY word`,
  );
  const all = Array.from({ length: 10 }, (_, block) => block);
  assert.deepEqual(result.getRowsJS(), [
    ['all', 1000, all, all.map(() => 100)],
    ['b3', 100, [3], [100]],
    ['r777', 1, [7], [1]],
  ]);
  connection.closeSync();
});
