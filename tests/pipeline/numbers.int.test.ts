import { DuckDBInstance } from '@duckdb/node-api';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { Pipeline } from './pipeline.ts';

const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');

interface Ended {
  code: number;
  out: string;
  err: string;
}

/** Runs `logloom` beside the pipeline. */
function run(pipeline: Pipeline, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: pipeline.env, cwd: pipeline.dataFolder, maxBuffer: 2 ** 28 };
    const child = execFile(process.execPath, [main, ...args], options, (_, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

const count = 300;
const lines = Array.from({ length: count }, (_, i) =>
  JSON.stringify({
    timestamp: new Date(Date.parse('2024-05-01T10:00:00Z') + i * 1000).toISOString(),
    service: ['web', 'payment', 'cart'][i % 3],
    level: i % 10 === 0 ? 'error' : 'info',
    message: `request ${i}, "done"`,
    traceId: `trace-${i % 50}`,
    duration_ms: i % 3 === 0 ? i : String(i),
    http: { status: i % 10 === 0 ? 500 : 200 },
  }),
);

test('numbers of events, on a running Logloom', async (t) => {
  await using pipeline = await Pipeline.create();
  await pipeline.start();
  assert.equal((await pipeline.ingest(lines.join('\n'))).status, 200);
  await pipeline.untilDone();

  await t.test('aggregate prints a figure of each group, as a table or JSON', async () => {
    const args = [
      'aggregate',
      'level:info',
      '--by',
      'service',
      '--metric',
      'max',
      '--of',
      'attributes.duration_ms',
    ];
    const table = await run(pipeline, args);
    assert.equal(table.code, 0, table.err);
    assert.match(
      table.out,
      /^service +max attributes\.duration_ms +events +without\ncart +299 +90 +0\npayment +298/,
    );
    const asJson = await run(pipeline, [...args, '--interval', '1m', '--json']);
    const { groups } = JSON.parse(asJson.out) as { groups: { key: object; buckets: object[] }[] };
    assert.deepEqual(groups[0]?.key, { service: 'cart' });
    assert.equal(groups[0]?.buckets.length, 5);
    assert.equal((await run(pipeline, ['aggregate', 'service:nobody'])).code, 1);
    const wrong = await run(pipeline, ['aggregate', '--by', 'message']);
    assert.deepEqual([wrong.code, wrong.err.includes('(unknown-field)')], [2, true]);
  });

  await t.test('export writes all events, and continues a file exactly where it ended', async () => {
    const file = (name: string): string => join(pipeline.dataFolder, name);
    const whole = await run(pipeline, ['export', '--from', '2024-01-01T00:00:00Z']);
    assert.equal(whole.code, 0, whole.err);
    const messages = whole.out
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { message: string }).message);
    assert.deepEqual(
      messages,
      lines.map((line) => (JSON.parse(line) as { message: string }).message),
    );
    // The name says the format.
    for (const format of ['ndjson', 'csv']) {
      const target = file(`events.${format}`);
      const args = ['export', 'service:web', '-o', target];
      assert.equal((await run(pipeline, args)).code, 0);
      const wanted = readFileSync(target, 'utf8');
      assert.equal((await run(pipeline, args)).code, 2, 'it exists');
      assert.equal((await run(pipeline, [...args, '--resume'])).code, 2, 'it is complete');
      // As it stands after a crash, at any byte.
      rmSync(target);
      const cut = new Pieces(pipeline.viewersUrl, 5000);
      const interrupted = await run(pipeline, [...args, '--url', await cut.start()]);
      cut.stop();
      assert.deepEqual([interrupted.code, interrupted.err.includes('--resume')], [2, true]);
      assert.ok(statSync(target).size < wanted.length);
      const resumed = await run(pipeline, [...args, '--resume']);
      assert.equal(resumed.code, 0, resumed.err);
      assert.equal(readFileSync(target, 'utf8'), wanted);
      assert.equal(existsSync(`${target}.unfinished`), false);
    }
    const parts = file('parts');
    const args = ['export', '--format', 'parquet', '--limit', '70', '-o', parts];
    const interrupter = new Pieces(pipeline.viewersUrl, 4_000);
    assert.equal((await run(pipeline, [...args, '--url', await interrupter.start()])).code, 2);
    interrupter.stop();
    const resumed = await run(pipeline, [...args, '--resume']);
    assert.equal(resumed.code, 0, resumed.err);
    assert.deepEqual(
      readdirSync(parts)
        .sort()
        .filter((name) => !name.endsWith('.part')),
      [1, 2, 3, 4, 5].map((n) => `events-0000${n}.parquet`),
    );
    const connection = await (await DuckDBInstance.create()).connect();
    const read = await connection.runAndReadAll(
      `SELECT message FROM '${parts}/*.parquet' ORDER BY filename, file_row_number`,
    );
    assert.deepEqual(read.getRowsJson().flat(), messages);
    const wrong = await run(pipeline, ['export', 'level:(']);
    assert.deepEqual([wrong.code, wrong.err.includes('(bad-filter)')], [2, true]);
  });

  await t.test('sql prints rows as a table, CSV or JSON', async () => {
    const byService = 'SELECT service, count(*) AS n FROM events GROUP BY service ORDER BY service';
    const table = await run(pipeline, ['sql', byService]);
    assert.equal(table.out, 'service    n\ncart     100\npayment  100\nweb      100\n', table.err);
    const one = "SELECT message FROM events WHERE attributes->>'$.duration_ms' = '7'";
    assert.equal((await run(pipeline, ['sql', '--csv', one])).out, 'message\n"request 7, ""done"""\n');
    const counted = 'SELECT count(*) AS n, sum(event_count) AS events FROM requests';
    const asJson = await run(pipeline, ['sql', '--json', counted]);
    assert.deepEqual(JSON.parse(asJson.out), { n: 50, events: 300 });
    const refused = await run(pipeline, ['sql', "SELECT * FROM read_text('/etc/passwd')"]);
    assert.deepEqual([refused.code, refused.err.includes('(bad-sql)')], [2, true]);
  });
});

/** A proxy that cuts each response after so many bytes. */
class Pieces {
  readonly #server;
  constructor(target: string, bytes: number) {
    this.#server = createServer((client) => {
      const { hostname, port } = new URL(target);
      const upstream = connect(Number(port), hostname);
      let left = bytes;
      client.pipe(upstream);
      upstream.on('data', (data: Buffer) => {
        client.write(data.subarray(0, left));
        left -= data.length;
        if (left <= 0) client.end(() => client.destroySoon());
      });
      for (const socket of [client, upstream]) socket.on('error', () => {});
      upstream.on('close', () => client.destroy());
      client.on('close', () => upstream.destroy());
    });
  }
  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  stop(): void {
    this.#server.close();
  }
}
