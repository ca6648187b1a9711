import { parseFilter } from '@logloom/filter';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { test } from 'node:test';
import { eventually, temporaryFolder } from '@logloom/testing';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApiQueue } from '../api/api-queue.ts';
import { openApiRig, rigEvent } from '../testing/api-rig.ts';

const events = Array.from({ length: 50 }, (_, i) =>
  rigEvent(i, {
    service: i % 2 === 0 ? 'web' : 'pay',
    message: i === 3 ? '=cmd|"a"\n,x' : `message ${i}`,
    attributes: JSON.stringify({ n: i, tags: ['a', 'b'] }),
  }),
);

interface Line {
  id: string;
  timestamp: string;
  partition: number;
  offset: number;
}

const linesOf = (text: string): Line[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

test('NDJSON: all matching events, oldest first, as a search shows them', async () => {
  await using api = await openApiRig();
  await api.search.index(events);
  const { status, headers, text } = await api.get('export', { q: 'service:web' });
  assert.deepEqual([status, headers['content-type']], [200, 'application/x-ndjson']);
  assert.match(String(headers['content-disposition']), /filename="events\.ndjson"/);
  const found = await api.get('search', { q: 'service:web', order: 'asc' });
  assert.deepEqual(linesOf(text), (JSON.parse(found.text) as { events: Line[] }).events);
  const limited = await api.get('export', { limit: '3' });
  assert.equal(linesOf(limited.text).length, 3);
  const none = await api.get('export', { q: 'service:nobody' });
  assert.deepEqual([none.status, none.text], [200, '']);
});

test('an export can be continued after any event, without what was stored later', async () => {
  await using api = await openApiRig();
  await api.search.index(events);
  const { headers, text } = await api.get('export', { from: 'now-100000d' });
  const snapshot = String(headers['logloom-snapshot']);
  const lines = text.trimEnd().split('\n');
  await api.search.index([rigEvent(90), rigEvent(91, { timestamp: events[10]!.timestamp })]);
  for (const [i, { timestamp, partition, offset }] of linesOf(text).entries()) {
    const after = [timestamp, partition, offset].join();
    // A relative range is that of the first request.
    const rest = await api.get('export', { from: 'now-1s', snapshot, after });
    assert.equal(
      rest.text,
      lines
        .slice(i + 1)
        .map((line) => `${line}\n`)
        .join(''),
    );
  }
  const whole = await api.get('export', { snapshot, from: 'now-1s' });
  assert.equal(whole.text, text);
  for (const [parameters, parameter] of [
    [{ snapshot: 'x' }, 'snapshot'],
    [{ snapshot, q: 'service:web' }, 'snapshot'],
    [{ after: '2024-05-01T11:00:00Z,0,1' }, 'after'],
    [{ snapshot, after: 'yesterday' }, 'after'],
    [{ format: 'xml' }, 'format'],
    [{ columns: 'id' }, 'columns'],
    [{ format: 'csv', columns: 'id,password' }, 'columns'],
    [{ limit: 'many' }, 'limit'],
    [{ limit: '0' }, 'limit'],
    [{ format: 'parquet', limit: '1000001' }, 'limit'],
  ] as [Record<string, string>, string][]) {
    const wrong = await api.get('export', parameters);
    const { error } = JSON.parse(wrong.text) as { error: { parameter: string } };
    assert.deepEqual([wrong.status, error.parameter], [400, parameter]);
  }
});

test('CSV: as RFC 4180 has it, of chosen columns, formulas kept or escaped', async () => {
  await using api = await openApiRig();
  await api.search.index([
    events[3]!,
    rigEvent(4, { host: 'a', message: '-1', attributes: '{"n":"+1+2","list":[1,"x"]}' }),
  ]);
  const columns = 'timestamp,host,message,attributes.n,attributes.list';
  const kept = await api.get('export', { format: 'csv', columns });
  assert.match(String(kept.headers['content-type']), /^text\/csv/);
  assert.equal(
    kept.text,
    `${columns}\r\n` +
      '2024-05-01T11:00:03.000000Z,,"=cmd|""a""\n,x",3,\r\n' +
      '2024-05-01T11:00:04.000000Z,a,-1,+1+2,"[1,""x""]"\r\n',
  );
  const escaped = await api.get('export', { format: 'csv', columns, formulas: 'escape' });
  assert.match(escaped.text, /,"'=cmd/);
  assert.match(escaped.text, /,-1,'\+1\+2,/);
  const all = await api.get('export', { format: 'csv' });
  assert.match(all.text, /^id,timestamp,level,service,host,message,/);
  const snapshot = String(all.headers['logloom-snapshot']);
  const rest = await api.get('export', { format: 'csv', snapshot, after: '2024-05-01T11:00:03.000000Z,0,3' });
  assert.match(rest.text, /^epoch-0-4,/);
});

test('Parquet: whole parts, each continued by the next', async () => {
  await using api = await openApiRig();
  await api.search.index(events);
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const connection = await (await DuckDBInstance.create()).connect();
  const file = join(api.folder, 'part.parquet');
  const rows: Record<string, unknown>[] = [];
  let parameters: Record<string, string> = { format: 'parquet', limit: '20' };
  for (let parts = 1; ; parts++) {
    const url = `/api/export?${new URLSearchParams(parameters).toString()}`;
    const { statusCode, headers, rawPayload } = await api.app.inject(url);
    assert.equal(statusCode, 200);
    writeFileSync(file, rawPayload);
    const part = await connection.runAndReadAll(`FROM read_parquet('${file}')`);
    rows.push(...part.getRowObjectsJson());
    const after = headers['logloom-after'];
    if (after === undefined) {
      assert.equal(parts, 3);
      break;
    }
    await api.search.index([rigEvent(100 + parts)]);
    parameters = { ...parameters, snapshot: String(headers['logloom-snapshot']), after: String(after) };
  }
  assert.deepEqual(
    rows.map(({ id }) => id),
    events.map(({ id }) => id),
  );
  assert.deepEqual(rows[3], {
    ...{ id: 'epoch-0-3', timestamp: '2024-05-01 11:00:03', level: 'info', service: 'pay', host: null },
    ...{
      message: '=cmd|"a"\n,x',
      correlation_id: null,
      correlation_kind: null,
      trace_id: null,
      span_id: null,
    },
    ...{ attributes: '{"n":3,"tags":["a","b"]}', partition: 0, offset: '3' },
  });
  const none = await api.app.inject('/api/export?format=parquet&q=service:nobody');
  writeFileSync(file, none.rawPayload);
  assert.deepEqual((await connection.runAndReadAll(`SELECT count(*) FROM '${file}'`)).getRowsJson(), [['0']]);
});

test('a file of Parquet of many pages is in order', async () => {
  using folder = temporaryFolder('parquet');
  const { writeParquet } = await import('./write-parquet.ts');
  const all = Array.from({ length: 45_000 }, (_, i) => rigEvent(i, { message: `${i}`.repeat(20) }));
  const pages = async function* () {
    for (let i = 0; i < all.length; i += 5_000) yield await Promise.resolve(all.slice(i, i + 5_000));
  };
  const file = await writeParquet(pages(), folder.path);
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const connection = await (await DuckDBInstance.create()).connect();
  const found = await connection.runAndReadAll(
    `SELECT count(*), bool_and("offset" = file_row_number) FROM read_parquet('${file}', file_row_number = true)`,
  );
  assert.deepEqual(found.getRowsJson(), [['45000', true]]);
});

test('a token that imposes a filter exports its own events only', async () => {
  const result = parseFilter('service:pay');
  assert.ok(result.ok);
  const { filter } = result;
  await using api = await openApiRig({ authenticate: async () => ({ ok: true, principal: { filter } }) });
  await api.search.index(events);
  const { text } = await api.get('export', { q: 'service:web OR service:pay' });
  assert.deepEqual(
    linesOf(text).map(({ id }) => id),
    events.filter(({ service }) => service === 'pay').map(({ id }) => id),
  );
});

test('a client that does not read holds the export up, and one that leaves ends it', async () => {
  await using api = await openApiRig();
  const message = 'x'.repeat(20_000);
  for (let i = 0; i < 30; i++)
    await api.search.index(Array.from({ length: 100 }, (_, n) => rigEvent(i * 100 + n, { message })));
  let pages = 0;
  const scan = api.search.scan.bind(api.search);
  api.search.scan = (query) => {
    pages++;
    return scan(query);
  };
  const url = await api.app.listen({ port: 0, host: '127.0.0.1' });
  const client = request(`${url}/api/export`);
  client.on('error', () => {});
  client.end();
  const [response] = (await once(client, 'response')) as [NodeJS.ReadableStream];
  response.pause();
  // 60 MB in pages of 8 MiB: they are not read ahead.
  await eventually('it stands still', async () => {
    const before = pages;
    await new Promise((resolve) => setTimeout(resolve, 300));
    return pages === before && pages > 0;
  });
  assert.ok(pages <= 3, `${pages} pages were read for nobody`);
  client.destroy();
  // Its place is free again: only so many run at once.
  for (let i = 0; i < 6; i++) {
    await eventually('there is room', async () => (await api.get('export', { limit: '1' })).status === 200);
  }
});

test('exports take turns with other requests where admission control is on', async () => {
  const queue = createApiQueue(2);
  await using api = await openApiRig({ queue: { queue, principalName: async () => 'one' } });
  await api.search.index(Array.from({ length: 12_000 }, (_, i) => rigEvent(i)));
  const exports = ['ndjson', 'csv', 'parquet'].map((format) => api.get('export', { format }));
  const searches = Array.from({ length: 5 }, () => api.get('search', { limit: '1' }));
  for (const { status } of await Promise.all([...exports, ...searches])) assert.equal(status, 200);
  const [ndjson] = await Promise.all(exports);
  assert.equal(linesOf(ndjson!.text).length, 12_000);
  assert.deepEqual([queue.running, queue.waiting], [0, 0]);
});
