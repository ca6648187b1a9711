import { noTracing, type Tracing } from '@logloom/telemetry';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TraceMemory } from './trace-memory.ts';

/** Every carrier with headers counts as sampled. */
const tracing: Tracing = { ...noTracing, headersFor: ({ headers }) => headers };
const member = (traceparent: string) => ({ headers: { traceparent } });

test('the document gets the trace of its first sampled member, once', () => {
  const traces = new TraceMemory(tracing);
  traces.remember('a', {});
  traces.remember('a', member('first'));
  traces.remember('a', member('second'));
  traces.remember('b', {});
  assert.deepEqual(traces.take('a'), member('first'));
  assert.deepEqual(traces.take('a'), {});
  assert.deepEqual(traces.take('b'), {});
});

test('it holds a bounded number of sessions, the newest', () => {
  const traces = new TraceMemory(tracing);
  const sessions = 10_001;
  for (let i = 0; i < sessions; i++) traces.remember(`${i}`, member(`${i}`));
  assert.deepEqual(traces.take('0'), {});
  assert.deepEqual(traces.take('1'), member('1'));
  assert.deepEqual(traces.take(`${sessions - 1}`), member(`${sessions - 1}`));
});
