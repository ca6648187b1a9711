import { parseFilter } from '@logloom/filter';
import { ColumnStore } from '@logloom/column-store';
import { correlationDocument, eventually, placedEvent, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import type { ApiDeps } from '../api/api.ts';
import { openApiRig } from '../testing/api-rig.ts';
import type { SqlSettings } from './register-sql.ts';

const startMicros = Date.parse('2024-05-01T11:00:00Z') * 1000;
const events = Array.from({ length: 5_000 }, (_, i) =>
  placedEvent(i, {
    id: `epoch-0-${i}`,
    timestamp: startMicros + i * 1_000_000,
    service: ['web', 'pay', 'cart'][i % 3]!,
    level: i % 10 === 0 ? 'error' : 'info',
    attributes: JSON.stringify({ duration_ms: i, http: { status: i % 10 === 0 ? 500 : 200 } }),
  }),
);

/** The API over a column store with events in a file and others in none yet. */
async function openSqlRig(settings: Partial<SqlSettings> = {}, deps: Partial<ApiDeps> = {}) {
  const folder = temporaryFolder('sql');
  const store = new ColumnStore(folder.path);
  await store.putEvents('search', events.slice(0, 4_500));
  await store.putDocuments('search', [
    correlationDocument('0-1', { correlationId: 'r', services: ['web', 'pay'], rules: ['slow'] }),
  ]);
  await store.settle();
  await store.putEvents('search', events.slice(4_500));
  const sql: NonNullable<ApiDeps['sql']> = {
    // As with the default of LOGLOOM_DATA, `./data`.
    folder: relative(process.cwd(), folder.path),
    read: (work) => store.read('search', work),
    settings: { memoryBytes: 128e6, limitMs: 20_000, maxRows: 10_000, maxBytes: 10e6, ...settings },
  };
  const api = await openApiRig({ sql, ...deps });
  const post = async (statement: unknown, headers: Record<string, string> = {}) => {
    const payload = JSON.stringify({ sql: statement });
    const response = await api.app.inject({
      ...{ method: 'POST', url: '/api/sql', payload },
      headers: { 'content-type': 'application/json', ...headers },
    });
    return { status: response.statusCode, headers: response.headers, text: response.body };
  };
  return {
    folder: folder.path,
    api,
    post,
    rows: async (statement: string): Promise<Record<string, unknown>[]> => {
      const { status, text } = await post(statement);
      assert.equal(status, 200, text);
      return text === ''
        ? []
        : text
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    /** The response's error. */
    refused: async (statement: unknown): Promise<{ code: string; message: string }> => {
      const { status, text } = await post(statement);
      assert.equal(status, 400, `${String(statement)}: ${text}`);
      return (JSON.parse(text) as { error: { code: string; message: string } }).error;
    },
    [Symbol.asyncDispose]: async () => {
      await api[Symbol.asyncDispose]();
      await store.close();
      folder[Symbol.dispose]();
    },
  };
}

test('rows of events, requests and alerts as NDJSON, from files and from what is in none yet', async () => {
  await using rig = await openSqlRig();
  assert.deepEqual(await rig.rows('SELECT count(*) AS n, max("offset") AS last FROM events'), [
    { n: 5000, last: 4999 },
  ]);
  assert.deepEqual(
    await rig.rows(`SELECT service, quantile_disc((attributes->>'$.duration_ms')::DOUBLE, 0.5) AS p50 FROM events
      WHERE level = 'error' GROUP BY service ORDER BY service`),
    [
      { service: 'cart', p50: 2480 },
      { service: 'pay', p50: 2500 },
      { service: 'web', p50: 2490 },
    ],
  );
  const [first] = await rig.rows('FROM events ORDER BY timestamp LIMIT 1;  -- the first');
  assert.deepEqual(first, {
    id: 'epoch-0-0',
    timestamp: '2024-05-01T11:00:00Z',
    level: 'error',
    service: 'web',
    host: null,
    message: 'message 0',
    correlation_id: null,
    correlation_kind: null,
    trace_id: null,
    span_id: null,
    attributes: { duration_ms: 0, http: { status: 500 } },
    received_at: '2023-11-14T22:13:20Z',
    partition: 0,
    offset: 0,
  });
  const [request] = await rig.rows('SELECT id, services, rules, document FROM requests');
  assert.deepEqual([request!['services'], request!['rules']], [['web', 'pay'], ['slow']]);
  assert.equal((request!['document'] as { correlationId: string }).correlationId, 'r');
  assert.deepEqual(await rig.rows('SELECT count(*) AS n FROM alerts'), [{ n: 0 }]);
  const described = await rig.rows('DESCRIBE alerts');
  assert.ok(described.some(({ column_name: name }) => name === 'fingerprint'));
  assert.equal((await rig.rows('SUMMARIZE SELECT level FROM events')).length, 1);
  assert.equal((await rig.rows('EXPLAIN SELECT 1')).length, 1);
  const { headers } = await rig.post("SELECT 1 AS a, 'x' AS b");
  assert.deepEqual(JSON.parse(decodeURIComponent(String(headers['logloom-columns']))), [
    { name: 'a', type: 'INTEGER' },
    { name: 'b', type: 'VARCHAR' },
  ]);
  assert.equal(headers['logloom-limits'], 'rows=10000, bytes=10000000, ms=20000');
  assert.deepEqual(
    await rig.rows(`SELECT 9007199254740993::BIGINT AS big, 1.5::DECIMAL(5,2) AS d, 'nan'::DOUBLE AS nan, [1, 2] AS list, {'a': 1} AS s,
      NULL AS none, DATE '2024-01-02' AS day, 1 AS x, 2 AS x`),
    [
      {
        ...{ big: '9007199254740993', d: 1.5, nan: 'NaN', list: [1, 2], s: { a: 1 }, none: null },
        ...{ day: '2024-01-02', x: 1, 'x:1': 2 },
      },
    ],
  );
});

test('what is refused has a code and a reason, and leaves nothing behind', async () => {
  await using rig = await openSqlRig();
  const refusals: [string, RegExp][] = [
    ["SELECT * FROM read_csv('/etc/passwd')", /Cannot access file/],
    ["COPY alerts TO '/tmp/x'", /Cannot access file/],
    ['DROP VIEW events', /only statements that read/],
    ['SELECT 1; SELECT 2', /one statement/],
    [' ; -- nothing', /there is no statement/],
    ['SELECT nothing FROM events', /"nothing" not found/],
  ];
  for (const [sql, reason] of refusals) {
    const { code, message } = await rig.refused(sql);
    assert.equal(code, 'bad-sql');
    assert.match(message, reason);
  }
  await eventually('its folder is removed', async () => readdirSync(join(rig.folder, 'tmp')).length === 0);
  for (const body of [{}, { sql: 1 }, { sql: 'x'.repeat(70_000) }, { sql: 'SELECT 1', file: 'x' }]) {
    const response = await rig.api.app.inject({ method: 'POST', url: '/api/sql', payload: body });
    assert.equal(response.json<{ error: { code: string } }>().error.code, 'bad-parameter');
  }
});

test('a statement ends at its limits, and says so', async () => {
  await using rig = await openSqlRig({ limitMs: 2_000, maxRows: 100, maxBytes: 5_000 });
  const endless = await rig.refused('SELECT count(*) FROM range(1000000000000) a(i), range(1000) b(i)');
  assert.deepEqual([endless.code, endless.message], ['sql-limit', 'the statement ran longer than 2000 ms']);
  // DuckDB computes these before it could be interrupted, in memory that it does not count.
  for (const large of [
    "SELECT length(repeat('x', 4000000000))",
    'SELECT list(i)::VARCHAR FROM range(300000000) r(i)',
  ])
    assert.equal((await rig.refused(large)).code, 'sql-limit', large);
  const linesOf = async (sql: string) => (await rig.post(sql)).text.trimEnd().split('\n');
  const rows = await linesOf('SELECT i FROM range(1000) r(i)');
  assert.equal(rows.length, 101);
  assert.match(rows.at(-1)!, /^\{"error":\{"code":"sql-limit","message":"the result is longer than 100 rows/);
  const wide = await linesOf("SELECT repeat('y', 1000) AS y FROM range(1000) r(i)");
  assert.equal(wide.length, 5);
  assert.match(wide.at(-1)!, /5000 bytes/);
  // Not a row too many is no error.
  assert.equal((await linesOf('SELECT i FROM range(100) r(i)')).length, 100);
  await eventually('its folder is removed', async () => readdirSync(join(rig.folder, 'tmp')).length === 0);
});

test('a client that leaves ends its statement, and one that does not read holds it up', async () => {
  await using rig = await openSqlRig({ limitMs: 60_000, maxRows: 1e9, maxBytes: 1e12 });
  const url = await rig.api.app.listen({ port: 0, host: '127.0.0.1' });
  const begin = (sql: string) => {
    const client = request(`${url}/api/sql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    client.on('error', () => {});
    client.end(JSON.stringify({ sql }));
    return client;
  };
  const isOver = (): boolean =>
    readdirSync(join(rig.folder, 'tmp')).length === 0 && statements().length === 0;
  const silent = begin('SELECT count(*) FROM range(1000000000000) a(i), range(1000) b(i)');
  await eventually('it runs', async () => statements().length === 1);
  silent.destroy();
  await eventually('it has ended', async () => isOver());
  const paused = begin("SELECT i, repeat('z', 1000) AS z FROM range(1000000000) r(i)");
  const [response] = (await once(paused, 'response')) as [NodeJS.ReadableStream];
  response.pause();
  await eventually('it stands still', async () => {
    const before = cpuTicks(statements()[0]!);
    await new Promise((resolve) => setTimeout(resolve, 400));
    return cpuTicks(statements()[0]!) - before <= 1;
  });
  paused.destroy();
  await eventually('it has ended too', async () => isOver());
});

test('SQL is for those who may see everything, and of the embedded store', async () => {
  const result = parseFilter('service:web');
  assert.ok(result.ok);
  const { filter } = result;
  await using tenant = await openSqlRig(
    {},
    { authenticate: async () => ({ ok: true, principal: { filter } }) },
  );
  const refused = await tenant.post('SELECT 1');
  assert.deepEqual(
    [refused.status, (JSON.parse(refused.text) as { error: { code: string } }).error.code],
    [403, 'forbidden'],
  );
  const told: object[] = [];
  const security = {
    read: (...args: unknown[]) => told.push(args),
    refused: () => {},
  } as unknown as NonNullable<ApiDeps['security']>;
  await using audited = await openSqlRig({}, { auditReads: true, security });
  await audited.post('SELECT 1 AS secret_question');
  assert.deepEqual(
    told.map((args) => (args as string[]).slice(0, 2)),
    [['/api/sql', 'SELECT 1 AS secret_question']],
  );
  await using elsewhere = await openSqlRig({}, { sql: undefined });
  assert.equal((await elsewhere.refused('SELECT 1')).code, 'sql-unavailable');
});

/** The processes of statements that this process has. */
function statements(): number[] {
  return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter((pid) => pid !== '')
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('sql.child');
      } catch {
        return false;
      }
    });
}

function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
