import { createTelemetry } from '@logloom/telemetry';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerState } from './http-receiver.ts';
import { createHttpServer } from './http-server.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { MemoryBudget } from '../admission/memory-budget.ts';
import { httpReceivers } from '../receivers.ts';
import { createMetrics } from '../telemetry.ts';

const requests = [
  ['/ingest', 'application/x-ndjson'],
  ['/v1/logs', 'application/json'],
  ['/v1/logs', 'application/x-protobuf'],
  ['/_bulk', 'application/x-ndjson'],
  ['/logs/_doc', 'application/json'],
  ['/loki/api/v1/push', 'application/json'],
  ['/loki/api/v1/push', 'application/x-protobuf'],
] as const;

/** The server without a log: these requests never get that far. */
function createServer(state: ServerState, maxPending: number) {
  const telemetry = createTelemetry('ingest', 'error');
  const { logger, tracing } = telemetry;
  const memory = new MemoryBudget(maxPending);
  const settings = {
    INGEST_MAX_BODY_BYTES: 1000,
    INGEST_MAX_REQUEST_EVENTS: 1000,
    INGEST_MAX_EVENT_BYTES: 1000,
    INGEST_LOADTEST: true,
    INGEST_REQUEST_MS: 0,
  };
  const metrics = createMetrics(telemetry, memory);
  return {
    memory,
    app: createHttpServer({ receivers: httpReceivers, settings, state, memory, metrics, logger, tracing }),
  };
}

/** Returns the text of an error as each protocol words it. */
function reasonIn(path: string, type: string, body: string): string {
  if (type === 'application/x-protobuf' || path.startsWith('/loki')) return body;
  const json = JSON.parse(body) as { message?: string; error?: { code?: string; reason?: string } };
  return json.message ?? json.error?.reason ?? json.error?.code ?? '';
}

test('each receiver responds with a time to retry while it accepts nothing, and refuses what is too large', async () => {
  const refuse = async (
    state: ServerState,
    maxPending: number,
    size: number,
    status: number,
    code: string,
  ) => {
    const { app, memory } = createServer(state, maxPending);
    for (const [url, type] of requests) {
      const payload = Buffer.alloc(size, 0x20);
      const response = await app.inject({ method: 'POST', url, payload, headers: { 'content-type': type } });
      assert.equal(response.statusCode, status, url);
      assert.equal(response.headers['retry-after'], status === 413 ? undefined : '1');
      assert.ok(reasonIn(url, type, response.body).includes(code), response.body);
      assert.equal(memory.usedBytes, 0);
    }
    await app.close();
  };
  const ready: ServerState = { phase: 'ready', pipeline: {} as Pipeline };
  await refuse({ phase: 'starting', pipeline: undefined }, 1000, 10, 503, 'starting');
  await refuse({ phase: 'draining', pipeline: undefined }, 1000, 10, 503, 'draining');
  await refuse(ready, 100, 500, 429, 'overloaded');
  await refuse(ready, 10_000, 2000, 413, 'body-too-large');
});

test('health, readiness and the questions of clients show the phase too', async () => {
  const { app } = createServer({ phase: 'starting', pipeline: undefined }, 1000);
  for (const [url, status] of [
    ['/health/live', 200],
    ...(['/health/ready', '/ready', '/', '/_license', '/_nodes/_all/http'] as const).map(
      (url) => [url, 503] as const,
    ),
  ] as const)
    assert.equal((await app.inject(url)).statusCode, status, url);
  await app.close();
});
