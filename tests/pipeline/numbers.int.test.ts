import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
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
});
