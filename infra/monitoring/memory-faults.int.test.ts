import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pipeline } from '../../tests/pipeline/pipeline.ts';
import { eventLines, fires, firesDuring, holdUp, keepDoing } from './testing/faults.ts';
import { PrometheusServer, skipUnless } from './testing/prometheus-server.ts';

const skip = skipUnless(process.env['LOGLOOM_FULL'] === '1', 'makes these faults: they take minutes');

/** Sends the head of a request and `bytes` of its body, spread over a time, and never its end. */
function uploadWithoutEnd(ingestUrl: string, bytes: number, overMs: number): AsyncDisposable {
  const { hostname, port } = new URL(ingestUrl);
  const socket = connect(Number(port), hostname).on('error', () => undefined);
  socket.write(
    `POST /ingest HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${bytes + 2 ** 20}\r\n\r\n`,
  );
  const chunk = Buffer.from(`${eventLines(500, 'upload', 1_900)}\n`);
  const beganMs = performance.now();
  let sent = 0;
  const writing = keepDoing(async () => {
    const due = Math.min(1, (performance.now() - beganMs) / overMs) * bytes;
    while (sent < due && !socket.destroyed) {
      sent += chunk.length;
      if (!socket.write(chunk)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
    }
  }, 100);
  return {
    async [Symbol.asyncDispose]() {
      socket.destroy();
      await writing[Symbol.asyncDispose]();
    },
  };
}

const rules = `limits: { ruleBytes: 1048576 }
rules: [{ name: seen, when: service:many, by: [user], window: 1h, if: count > 5 }]
`;

test('a real Prometheus: alerts about memory', { skip }, async (t) => {
  await using pipeline = await Pipeline.create({
    INGEST_MAX_PENDING_BYTES: String(2 ** 30),
    CORRELATION_MEMORY_BYTES: String(2 ** 20),
    CORRELATION_IDLE_MS: '30000',
    CORRELATION_RULES: 'rules.yaml',
  });
  writeFileSync(join(pipeline.dataFolder, 'rules.yaml'), rules);
  await pipeline.start();
  await using prometheus = await PrometheusServer.start(new URL(pipeline.viewersUrl).host);

  await t.test('more open requests than their memory holds', async () => {
    await firesDuring(prometheus, ['LogloomCorrelatorShortOfMemory'], (faults) => {
      faults.use(keepDoing(() => pipeline.ingest(eventLines(1_000, 'shop'))));
    });
  });

  await t.test('a rule with more keys than its memory holds', async () => {
    let user = 0;
    await firesDuring(prometheus, ['LogloomRulesShortOfMemory'], (faults) => {
      const lines = (): string =>
        Array.from({ length: 1_000 }, () =>
          JSON.stringify({ service: 'many', message: 'seen', user: user++ }),
        ).join('\n');
      faults.use(keepDoing(() => pipeline.ingest(lines())));
    });
  });

  await t.test('uploads that never end', async () => {
    const held = ['LogloomMemoryGrows', 'LogloomMemoryBudgetNearLimit'];
    await firesDuring(prometheus, [...held, 'LogloomIngestOverloaded'], async (faults) => {
      for (let i = 0; i < 10; i++) faults.use(uploadWithoutEnd(pipeline.ingestUrl, 100_000_000, 40_000));
      await fires(prometheus, ...held);
      const oneMore = async (): Promise<void> => {
        const upload = uploadWithoutEnd(pipeline.ingestUrl, 100_000_000, 500);
        await sleep(1_000);
        await upload[Symbol.asyncDispose]();
      };
      faults.use(keepDoing(oneMore));
    });
  });

  await t.test('a process that gets no CPU', async () => {
    await firesDuring(prometheus, ['LogloomEventLoopSlow'], (faults) => {
      faults.use(holdUp(() => [pipeline.pid!], 800, 300));
    });
  });
});
