import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvLine } from '../output/csv-line.ts';
import { readSqlResult } from './read-sql-result.ts';

async function read(columns: string[], lines: string): Promise<unknown[]> {
  const types = columns.map((name) => ({ name, type: 'VARCHAR' }));
  const headers = new Headers({ 'logloom-columns': encodeURIComponent(JSON.stringify(types)) });
  const body = [lines.slice(0, 5), lines.slice(5)].map((text) => Buffer.from(text));
  const rows: unknown[] = [];

  const chunks = (async function* () {
    yield* body;
  })();
  for await (const row of readSqlResult({ headers, body: chunks }).rows) rows.push(row);
  return rows;
}

test('rows are read line by line, and a result that is not whole ends with its error', async () => {
  assert.deepEqual(await read(['a'], '{"a":1}\n{"a":"x\u2028y"}\n'), [{ a: 1 }, { a: 'x\u2028y' }]);
  const error = '{"error":{"code":"sql-limit","message":"too long"}}\n';
  await assert.rejects(read(['a'], `{"a":1}\n${error}`), {
    code: 'request-refused',
    message: /too long \(sql-limit\)/,
  });
  assert.equal((await read(['error'], error)).length, 1);
  await assert.rejects(read(['a'], '{"a":1}\n{"a"'), { code: 'interrupted' });
});

test('a record of CSV', () => {
  assert.equal(csvLine(['a', null, 1, 'b,"c"\n', { d: 1 }]), 'a,,1,"b,""c""\n","{""d"":1}"');
});
