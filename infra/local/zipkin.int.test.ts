import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startStack } from './start-stack.ts';

const stack = await startStack({ only: ['zipkin'] });
after(() => stack.stop());
const skip = stack.missing.zipkin ?? false;

test('Zipkin returns the span that was posted', { skip }, async () => {
  const endpoint = stack.env['OTEL_EXPORTER_ZIPKIN_ENDPOINT']!;
  const traceId = '463ac35c9f6413ad48485a3953bb6124';
  const span = { traceId, id: '48485a3953bb6124', name: 'charge', timestamp: Date.now() * 1000, duration: 5 };
  const posted = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([span]),
  });
  assert.equal(posted.status, 202);
  const trace = new URL(`/api/v2/trace/${traceId}`, endpoint);
  const deadline = Date.now() + 30_000;
  let found = await fetch(trace);
  while (found.status === 404 && Date.now() < deadline) {
    await delay(100);
    found = await fetch(trace);
  }
  const spans = (await found.json()) as { name: string }[];
  assert.deepEqual(
    spans.map(({ name }) => name),
    ['charge'],
  );
});
