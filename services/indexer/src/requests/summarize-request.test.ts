import type { Level, PlacedEvent } from '@logloom/schemas';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summarizeRequest } from './summarize-request.ts';

function event(ms: number, service: string, rest: Partial<PlacedEvent> = {}): PlacedEvent {
  return {
    source: { kind: 'http', topic: 'p', partition: 0, offset: ms, index: 0 },
    id: `e${ms}`,
    partition: 0,
    offset: ms,
    timestamp: ms * 1000,
    receivedAt: 0,
    level: 'info',
    service,
    host: null,
    message: `at ${ms}`,
    correlationId: 'c',
    correlationKind: 'traceId',
    traceId: 'c',
    spanId: null,
    attributes: '{}',
    ...rest,
  };
}

const span = (ms: number, service: string, spanId: string, parentSpanId?: string): PlacedEvent =>
  event(ms, service, {
    spanId,
    attributes: JSON.stringify(parentSpanId === undefined ? {} : { parentSpanId }),
  });

test('the first error, the longest gap, the services as they appeared, errors first in the sample', () => {
  const events = [
    event(0, 'gateway'),
    event(10, 'orders', { level: 'warn' }),
    event(500, 'payment', { level: 'error', message: 'refused' }),
    event(510, 'orders', { level: 'fatal' }),
    event(520, 'gateway'),
  ];
  const summary = summarizeRequest(events);
  assert.deepEqual(summary.services, ['gateway', 'orders', 'payment']);
  assert.deepEqual(summary.firstError, {
    id: 'e500',
    timestamp: '1970-01-01T00:00:00.500000Z',
    level: 'error',
    service: 'payment',
    message: 'refused',
  });
  const { ms, after, before } = summary.slowestGap!;
  assert.deepEqual([ms, after.service, before.service], [490, 'orders', 'payment']);
  assert.deepEqual(
    summary.sample.map(({ level }) => level),
    ['error', 'fatal', 'warn', 'info', 'info'],
  );
  assert.deepEqual(
    [summary.criticalPath.by, summary.criticalPath.steps.map((s) => [s.service, s.ms])],
    [
      'time',
      [
        ['gateway', 10],
        ['orders', 490],
        ['payment', 10],
        ['orders', 10],
        ['gateway', 0],
      ],
    ],
  );
});

test('the critical path follows, from the root on, the span that ended last', () => {
  const events = [
    span(0, 'gateway', 'root'),
    span(5, 'orders', 'o', 'root'),
    span(6, 'stock', 's', 'o'),
    span(7, 'search', 'x', 'root'),
    span(20, 'stock', 's'),
    span(30, 'payment', 'p', 'o'),
    span(40, 'search', 'x'),
    span(90, 'payment', 'p'),
    span(95, 'orders', 'o'),
    span(100, 'gateway', 'root'),
  ];
  const { by, steps } = summarizeRequest(events).criticalPath;
  assert.equal(by, 'spans');
  assert.deepEqual(
    steps.map((s) => [s.service, s.spanId, s.ms]),
    [
      ['gateway', 'root', 100],
      ['orders', 'o', 90],
      ['payment', 'p', 60],
    ],
  );
});

test('any events give a bounded summary: rings of parents, one event, none', () => {
  assert.deepEqual(summarizeRequest([]), {
    services: [],
    criticalPath: { by: 'time', steps: [] },
    sample: [],
  });
  const ids = fc.constantFrom('a', 'b', 'c', 'd');
  const any = fc.record({
    id: fc.option(ids),
    parent: fc.option(ids),
    level: fc.constantFrom<Level>('info', 'error'),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 200 }), (all) => {
      const events = all.map(({ id, parent, level }, i) =>
        event(i, `s${i % 3}`, { level, spanId: id, attributes: JSON.stringify({ parentSpanId: parent }) }),
      );
      const { sample, criticalPath } = summarizeRequest(events);
      const errors = events.filter((e) => e.level === 'error').length;
      assert.equal(sample.length, Math.min(20, events.length));
      assert.equal(sample.filter((l) => l.level === 'error').length, Math.min(20, errors));
      assert.ok(criticalPath.steps.length <= 50);
      assert.ok(criticalPath.steps.every((s) => s.ms >= 0));
    }),
  );
});
