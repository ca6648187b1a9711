import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Pipeline } from '../pipeline/pipeline.ts';
import { found, LoggingProgram } from './logging-program.ts';

const count = 500;
const programs = {
  'pino-worker': { client: 'pino', how: 'worker' },
  'pino-stream': { client: 'pino', how: 'stream' },
  'winston-app': { client: 'winston', how: '' },
  'bunyan-app': { client: 'bunyan', how: '' },
};

test('pino, winston and bunyan: every line once, in order, while Logloom is killed and started', async (t) => {
  await using pipeline = await Pipeline.create();
  await pipeline.start();
  const running = Object.values(programs).map(({ client, how }) => {
    const file = join(import.meta.dirname, `../../clients/${client}/src/testing/app.child.ts`);
    return new LoggingProgram(file, [pipeline.ingestUrl, String(count), how]);
  });
  await Promise.all(running.map((program) => program.half()));
  await pipeline.end('SIGKILL');
  await pipeline.start();
  // Each logs one line more and calls process.exit().
  await Promise.all(running.map((program) => program.end()));

  for (const service of Object.keys(programs))
    await t.test(service, async () => {
      const lines = await found(pipeline, `service:${service} AND attributes.n:>=0`, count);
      assert.deepEqual(
        lines.map(({ level, message }) => `${level} ${message}`),
        Array.from({ length: count }, (_, n) => `${n % 2 === 0 ? 'warn' : 'debug'} line ${n}`),
      );
      const [last] = await found(pipeline, `correlationId:request-of-${service}`, 1);
      assert.deepEqual([last!.level, last!.message, last!.service], ['error', 'last', service]);
      assert.match(JSON.stringify(last!.attributes['err']), /it broke/);
    });
});
