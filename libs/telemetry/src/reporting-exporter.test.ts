import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Logger } from 'pino';
import { ReportingExporter } from './reporting-exporter.ts';

test('lost spans are told at once, then once a minute with their number', () => {
  let now = 0;
  let error: Error | undefined = new Error('away');
  const exporter: SpanExporter = {
    export: (_spans, onResult) => onResult(error === undefined ? { code: 0 } : { code: 1, error }),
    shutdown: async () => {},
  };
  const told: number[] = [];
  const logger = { warn: ({ spans }: { spans: number }) => told.push(spans) } as unknown as Logger;
  const reporting = new ReportingExporter(exporter, 'otlp', logger, () => now);
  const codes: number[] = [];
  const send = (count: number): void =>
    reporting.export(new Array<ReadableSpan>(count), ({ code }) => codes.push(code));
  send(1);
  for (let i = 0; i < 100; i++) send(2);
  assert.deepEqual(told, [1]);
  now = 60_000;
  send(3);
  assert.deepEqual(told, [1, 203]);
  error = undefined;
  now = 120_000;
  send(4);
  assert.deepEqual(told, [1, 203]);
  assert.equal(codes.at(-1), 0);
  assert.equal(codes.filter((code) => code === 1).length, 102);
});
