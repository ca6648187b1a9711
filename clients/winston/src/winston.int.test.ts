import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { found, LoggingProgram } from '../../../tests/packages/logging-program.ts';
import { Pipeline } from '../../../tests/pipeline/pipeline.ts';

test('winston: every line once, in order, while Logloom is killed and started', async () => {
  await using pipeline = await Pipeline.create();
  await pipeline.start();
  const count = 500;
  const file = join(import.meta.dirname, 'app.child.ts');
  const program = new LoggingProgram(file, [pipeline.ingestUrl, String(count)]);
  await program.half();
  await pipeline.end('SIGKILL');
  await pipeline.start();
  await program.end();

  const lines = await found(pipeline, 'service:winston-app AND attributes.n:>=0', count);
  assert.deepEqual(
    lines.map(({ level, message }) => `${level} ${message}`),
    Array.from({ length: count }, (_, n) => `${n % 2 === 0 ? 'warn' : 'debug'} line ${n}`),
  );
  const [last] = await found(pipeline, 'correlationId:request-of-winston', 1);
  assert.deepEqual([last!.level, last!.message, last!.service], ['error', 'last', 'winston-app']);
  assert.match(JSON.stringify(last!.attributes['err']), /it broke/);
});
