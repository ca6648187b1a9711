import { pino } from 'pino';
import { Registry } from 'prom-client';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SecurityLog } from './index.ts';

test('a flood of refusals is counted whole and told once for each reason', async () => {
  const lines: Record<string, unknown>[] = [];
  const registry = new Registry();
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const security = new SecurityLog({ logger: pino({}, { write }), registry });
  for (let i = 0; i < 1000; i++) security.refused('api', 'unauthorized', { address: `10.0.0.${i % 250}` });
  security.refused('api', 'bad-host', { address: '10.0.0.1', host: `evil\n${'x'.repeat(10_000)}` });
  new SecurityLog({ logger: pino({}, { write }), registry }).refused('live', 'unauthorized', {});
  assert.deepEqual(
    lines.map(({ port, reason, count }) => [port, reason, count]),
    [
      ['api', 'unauthorized', 1],
      ['api', 'bad-host', 1],
      ['live', 'unauthorized', 1],
    ],
  );
  assert.equal(lines[0]!['address'], '10.0.0.0');
  assert.ok(String(lines[1]!['host']).length <= 200);
  const metrics = await registry.metrics();
  assert.match(metrics, /\{port="api",reason="unauthorized"\} 1000/);
  assert.match(metrics, /\{port="live",reason="unauthorized"\} 1/);
});
