import { DuckDBInstance } from '@duckdb/node-api';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  attributeNumbers,
  attributeTexts,
  sqlAttributeNumbers,
  sqlAttributeTexts,
} from './attribute-lists.ts';
import { registerDuckDbFunctions } from './functions.ts';
import { sqlLiteral } from './literals.ts';

const values = [
  ...[
    '1',
    '-1',
    '0',
    '-0',
    '1.50',
    '1e3',
    '1E-7',
    '1e400',
    '12345678901234567890',
    '9007199254740993',
    '-0.0',
    '123456789012345',
  ],
  ...[
    '""',
    '"a"',
    '"12"',
    '"12ms"',
    '" 12"',
    '"+5"',
    '".5"',
    '"5."',
    '"1e3"',
    '"0x5"',
    '"Infinity"',
    '"NaN"',
    '"-0"',
    '"1e999"',
  ],
  ...['true', 'false', 'null', '"true"', '"a\\"b"', '"\\u00e9"', '"é"', '"a\\nb"', '"}"', '"x.y"', '"\\\\"'],
  ...[
    '[]',
    '[1,"1",1.0,2]',
    '["a",["b","a"],{"c":1}]',
    '{}',
    '{"b":1}',
    '{"b":{"c":"2"}}',
    '[{"b":1},{"b":2}]',
    '[null]',
  ],
];
const shapes = [
  (value: string) => `{"a":${value}}`,
  (value: string) => `{"x":"a","a":${value},"b":7}`,
  (value: string) => `{"a":{"b":${value}}}`,
  (value: string) => `{"a.b":${value}}`,
  (value: string) => `{"a":{"b":1},"a.b":${value}}`,
  (value: string) => ` {"a" : ${value} }`,
  (value: string) => `{"a~/b":${value},"é":${value}}`,
  (value: string) => `{"\\u0061":${value}}`,
];
const paths = ['a', 'b', 'a.b', 'a.b.c', 'a.c', 'a~/b', 'é', 'nowhere'];

test('SQL reads the texts and numbers of attributes as JavaScript does', async () => {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  registerDuckDbFunctions(connection);
  const all = ['{}', '', 'no JSON', '[1]', '"a"', ...shapes.flatMap((shape) => values.map(shape))];
  await connection.run('CREATE TABLE rows (i INTEGER, attributes VARCHAR)');
  await connection.run(
    `INSERT INTO rows VALUES ${all.map((text, i) => `(${i}, ${sqlLiteral(text)})`).join(', ')}`,
  );
  for (const path of paths) {
    const read = await connection.runAndReadAll(
      `SELECT attributes, ${sqlAttributeTexts(path, 'attributes')}, ${sqlAttributeNumbers(path, 'attributes')} FROM rows ORDER BY i`,
    );
    for (const [attributes, texts, numbers] of read.getRowsJS() as [
      string,
      string[] | null,
      number[] | null,
    ][]) {
      assert.deepEqual(texts ?? [], attributeTexts(attributes, path), `texts of ${path} in ${attributes}`);
      assert.deepEqual(
        numbers ?? [],
        attributeNumbers(attributes, path),
        `numbers of ${path} in ${attributes}`,
      );
    }
  }
});
