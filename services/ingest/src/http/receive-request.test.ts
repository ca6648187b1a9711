import { createTelemetry } from '@logloom/telemetry';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DoorState } from './receive-request.ts';
import { createHttpDoor } from './http-server.ts';
import type { Intake } from '../pipeline/pipeline.ts';
import { PendingBytes } from './read-body.ts';
import { createMetrics } from '../telemetry.ts';

const doors = [
  ['/ingest', 'application/x-ndjson'],
  ['/v1/logs', 'application/json'],
  ['/v1/logs', 'application/x-protobuf'],
  ['/_bulk', 'application/x-ndjson'],
  ['/logs/_doc', 'application/json'],
  ['/loki/api/v1/push', 'application/json'],
  ['/loki/api/v1/push', 'application/x-protobuf'],
] as const;

/** The server without a log behind it: these requests never come so far. */
function createDoor(state: DoorState, maxPending: number) {
  const telemetry = createTelemetry('ingest', 'error');
  const { logger, tracing } = telemetry;
  const pending = new PendingBytes(maxPending);
  const settings = {
    INGEST_MAX_BODY_BYTES: 1000,
    INGEST_MAX_REQUEST_EVENTS: 1000,
    INGEST_MAX_EVENT_BYTES: 1000,
    INGEST_REQUEST_MS: 0,
  };
  const metrics = createMetrics(telemetry, () => pending.bytes);
  return { pending, app: createHttpDoor({ settings, state, pending, metrics, logger, tracing }) };
}

/** Where each protocol has the words of an error. */
function reasonIn(path: string, type: string, body: string): string {
  if (type === 'application/x-protobuf' || path.startsWith('/loki')) return body;
  const json = JSON.parse(body) as { message?: string; error?: { code?: string; reason?: string } };
  return json.message ?? json.error?.reason ?? json.error?.code ?? '';
}

test('each door says when it takes nothing, with a time to come back, and what is too much', async () => {
  const refuse = async (state: DoorState, maxPending: number, size: number, status: number, code: string) => {
    const { app, pending } = createDoor(state, maxPending);
    for (const [url, type] of doors) {
      const payload = Buffer.alloc(size, 0x20);
      const answer = await app.inject({ method: 'POST', url, payload, headers: { 'content-type': type } });
      assert.equal(answer.statusCode, status, url);
      assert.equal(answer.headers['retry-after'], status === 413 ? undefined : '1');
      assert.ok(reasonIn(url, type, answer.body).includes(code), answer.body);
      assert.equal(pending.bytes, 0);
    }
    await app.close();
  };
  const ready: DoorState = { phase: 'ready', intake: {} as Intake };
  await refuse({ phase: 'starting', intake: undefined }, 1000, 10, 503, 'starting');
  await refuse({ phase: 'draining', intake: undefined }, 1000, 10, 503, 'draining');
  await refuse(ready, 100, 500, 429, 'overloaded');
  await refuse(ready, 10_000, 2000, 413, 'body-too-large');
});

test('health and readiness, and the questions of clients, tell the phase too', async () => {
  const { app } = createDoor({ phase: 'starting', intake: undefined }, 1000);
  for (const [url, status] of [
    ['/health/live', 200],
    ...(['/health/ready', '/ready', '/', '/_license', '/_nodes/_all/http'] as const).map(
      (url) => [url, 503] as const,
    ),
  ] as const)
    assert.equal((await app.inject(url)).statusCode, status, url);
  await app.close();
});
