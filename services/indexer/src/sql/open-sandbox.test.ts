import { DuckDBInstance } from '@duckdb/node-api';
import { columnDefinitions, eventColumns, requestColumns } from '@logloom/column-store';
import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSandbox } from './open-sandbox.ts';
import { prepareStatement } from './prepare-statement.ts';

test('nothing but the tables is reached, and nothing is changed', async () => {
  using folder = temporaryFolder('sandbox');
  const secret = join(folder.path, 'secret.csv');
  writeFileSync(secret, 'secret\n42\n');
  const file = (name: string): string => join(folder.path, name);
  const outside = await (await DuckDBInstance.create()).connect();
  const columns = { events: eventColumns, requests: requestColumns };
  for (const [name, of] of Object.entries(columns)) {
    await outside.run(`CREATE TABLE ${name} (${columnDefinitions(of)})`);
    await outside.run(`COPY ${name} TO '${file(name)}' (FORMAT parquet)`);
  }
  await outside.run(`COPY (SELECT 42 AS other) TO '${file('other.parquet')}'`);
  const temporary = file('own');
  mkdirSync(temporary);
  const attempt = async (sql: string): Promise<unknown[][]> => {
    const connection = await openSandbox({
      ...{ sql, requests: undefined, alerts: [], threads: 1, memoryBytes: 100e6, maxRows: 1, maxBytes: 1 },
      events: `read_parquet(['${file('events')}'])`,
      files: [file('events')],
      ...{ recentEvents: file('events'), recentRequests: file('requests'), temporaryFolder: temporary },
    });
    try {
      const statement = await prepareStatement(connection, sql);
      return (await statement.runAndReadAll()).getRowsJson();
    } finally {
      connection.closeSync();
    }
  };
  assert.deepEqual(await attempt('SELECT count(*) FROM events'), [['0']]);
  assert.deepEqual(await attempt(`SELECT count(*) FROM read_parquet('${file('events')}')`), [['0']]);
  const before = readdirSync(folder.path, { recursive: true }).sort();
  const attacks = [
    ...["read_csv('/etc/passwd')", "read_text('/etc/passwd')", "read_blob('/proc/self/environ')"],
    ...["read_json('/etc/passwd')", "read_ndjson_objects('/etc/passwd')", "glob('/etc/*')", "'/etc/passwd'"],
    ...[
      `read_csv('${secret}')`,
      `'${secret}'`,
      `read_text('${folder.path}/*')`,
      `read_text('${folder.path}/catalog.db')`,
    ],
    ...[
      `read_parquet('${folder.path}/../**/*.parquet')`,
      "read_csv('/dev/stdin')",
      "sniff_csv('/etc/passwd')",
    ],
    ...["parquet_metadata('/etc/passwd')", "'https://example.com/a.csv'", "read_duckdb('/tmp/x.db')"],
    ...["query('SELECT * FROM read_text(''/etc/passwd'')')", "sqlite_scan('/etc/passwd', 'x')"],
    ...["json_execute_serialized_sql(json_serialize_sql('SELECT * FROM read_text(''/etc/passwd'')'))"],
    ...["pragma_storage_info('/etc/passwd')"],
  ].map((source) => `SELECT * FROM ${source}`);
  attacks.push(
    ...["SELECT getenv('HOME')", `COPY events TO '${folder.path}/out.csv'`, `COPY alerts FROM '${secret}'`],
    ...[
      `EXPORT DATABASE '${folder.path}/x'`,
      `ATTACH '${folder.path}/x.db'`,
      `ATTACH '${folder.path}/catalog.db' (TYPE sqlite)`,
    ],
    ...[
      'INSTALL httpfs',
      'LOAD httpfs',
      'INSTALL sqlite FROM community',
      "SET memory_limit = '64GB'",
      'RESET threads',
    ],
    ...[
      'SET enable_external_access = true',
      'PRAGMA enable_profiling',
      "PRAGMA profile_output = '/tmp/x'",
      'SET VARIABLE a = 1',
    ],
    ...[
      'CREATE TABLE x (i INT)',
      'CREATE MACRO f() AS 1',
      'INSERT INTO alerts (rule) VALUES (1)',
      'DROP VIEW events',
      'DELETE FROM alerts',
    ],
    ...[
      'UPDATE alerts SET rule = 1',
      'BEGIN',
      'CHECKPOINT',
      'VACUUM',
      'CALL pragma_version()',
      'PREPARE p AS SELECT 1',
      'EXECUTE p',
    ],
    ...[
      'SELECT 1; SELECT 2',
      "SELECT 1; COPY alerts TO '/tmp/x'",
      'CREATE SECRET (TYPE s3)',
      'USE memory',
      "IMPORT DATABASE '/tmp'",
    ],
    ...[
      'SELECT ?',
      'SELECT $1',
      'SELEC 1',
      '',
      ' ; ',
      '-- nothing',
      '/* nothing */',
      'SELECT * FROM nowhere',
      "EXPLAIN COPY alerts TO '/tmp/x'",
    ],
  );
  attacks.push(`SELECT * FROM read_parquet('${file('other.parquet')}')`);
  for (const attack of attacks) await assert.rejects(attempt(attack), Error, attack);
  // Functions that could write files or show others' secrets do neither, whether they are refused or not.
  for (const call of [
    `enable_logging('QueryLog', storage => 'file', storage_path => '${file('log.csv')}')`,
    `enable_profiling(save_location => '${file('profile.json')}')`,
    'checkpoint()',
    'duckdb_secrets()',
  ])
    await attempt(`SELECT * FROM ${call}`).then(
      (rows) => assert.ok(rows.length <= 1, call),
      () => {},
    );
  assert.deepEqual(readdirSync(folder.path, { recursive: true }).sort(), before);
  const settings = "name IN ('enable_external_access', 'lock_configuration') ORDER BY name";
  assert.deepEqual(await attempt(`SELECT value FROM duckdb_settings() WHERE ${settings}`), [
    ['false'],
    ['true'],
  ]);
});
