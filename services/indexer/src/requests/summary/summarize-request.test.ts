import type { Level, PlacedEvent } from '@logloom/schemas';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { event, span } from '../../testing/request-events.ts';
import { summarizeRequest } from './summarize-request.ts';

test('the services as they appeared, the longest gaps, errors first in the sample, the path in order', () => {
  const { services, slowest, path, sample } = summarizeRequest([
    event(0, 'gateway'),
    event(10, 'orders', { level: 'warn' }),
    event(500, 'payment', { level: 'error', message: 'refused' }),
    event(510, 'orders', { level: 'fatal' }),
    event(520, 'gateway'),
  ]);
  assert.deepEqual(services, ['gateway', 'orders', 'payment']);
  assert.deepEqual(
    slowest.map(
      (step) => step.by === 'gap' && [step.ms, step.share, step.after.service, step.before.service],
    ),
    [
      [490, 0.942, 'orders', 'payment'],
      [10, 0.019, 'gateway', 'orders'],
      [10, 0.019, 'payment', 'orders'],
      [10, 0.019, 'orders', 'gateway'],
    ],
  );
  assert.deepEqual(
    sample.map(({ level }) => level),
    ['error', 'fatal', 'warn', 'info', 'info'],
  );
  assert.deepEqual(path.by === 'order' && path.steps.map((s) => [s.service, s.ms, s.events, s.errors]), [
    ['gateway', 10, 1, 0],
    ['orders', 490, 1, 0],
    ['payment', 10, 1, 1],
    ['orders', 10, 1, 1],
    ['gateway', 0, 1, 0],
  ]);
});

test('spans make a tree, with self times and the critical path', () => {
  const { path, slowest } = summarizeRequest([
    span(0, 'gateway', 'root', undefined, { message: 'GET /orders' }),
    span(5, 'orders', 'o', 'root'),
    span(6, 'stock', 's', 'o'),
    span(7, 'search', 'x', 'root'),
    span(20, 'stock', 's'),
    span(30, 'payment', 'p', 'o'),
    span(40, 'search', 'x'),
    span(90, 'payment', 'p'),
    span(95, 'orders', 'o'),
    span(100, 'gateway', 'root'),
  ]);
  assert.deepEqual(drawn(path), [
    '* gateway GET /orders 100 self 10',
    '  * orders at 5 90 self 16',
    '    stock at 6 14 self 14',
    '    * payment at 30 60 self 60',
    '  search at 7 33 self 33',
  ]);
  assert.deepEqual(
    slowest.map((step) => step.by === 'self' && [step.service, step.ms, step.share]),
    [
      ['payment', 60, 0.6],
      ['search', 33, 0.33],
      ['orders', 16, 0.16],
      ['stock', 14, 0.14],
      ['gateway', 10, 0.1],
    ],
  );
});

test('siblings that are alike are one, with sums; errors and the critical path stay', () => {
  const queries = Array.from({ length: 30 }, (_, i) => [
    span(1 + 2 * i, 'db', `q${i}`, 'root', {
      message: `SELECT item ${i}`,
      level: i === 7 ? 'error' : 'info',
    }),
    span(2 + 2 * i, 'db', `q${i}`),
  ]).flat();
  const { path, slowest } = summarizeRequest([span(0, 'shop', 'root'), ...queries]);
  assert.deepEqual(
    slowest.map((step) => step.by === 'self' && [step.service, step.count, step.ms, step.share]),
    [
      ['shop', 1, 30, 0.5],
      ['db', 30, 30, 0.5],
    ],
  );
  assert.deepEqual(drawn(path), [
    '* shop at 0 60 self 30',
    '  28 × db SELECT item 0 28 self 28',
    '  db SELECT item 7 1 self 1',
    '  * db SELECT item 29 1 self 1',
  ]);
});

test("a span that began before its caller, by another host's clock, is moved; one clock ahead of its own receipt is set back", () => {
  const behind = summarizeRequest([
    span(1000, 'gateway', 'root', undefined, { host: 'a' }),
    span(1100, 'gateway', 'root', undefined, { host: 'a' }),
    span(10, 'orders', 'o', 'root', { host: 'b' }),
    span(70, 'orders', 'o', undefined, { host: 'b' }),
    span(20, 'orders', 'in', 'o', { host: 'b' }),
    span(50, 'orders', 'in', undefined, { host: 'b' }),
  ]);
  assert.deepEqual(drawn(behind.path), [
    '* gateway at 1000 100 self 40',
    '  * orders at 10 60 self 30 moved 990',
    '    * orders at 20 30 self 30 moved 990',
  ]);
  const received = (ms: number): Partial<PlacedEvent> => ({ receivedAt: ms + 3 });
  const ahead = summarizeRequest([
    span(0, 'gateway', 'root', undefined, { host: 'a', ...received(0) }),
    span(100, 'gateway', 'root', undefined, { host: 'a', ...received(100) }),
    span(2010, 'orders', 'o', 'root', { host: 'b', ...received(10) }),
    span(2060, 'orders', 'o', undefined, { host: 'b', ...received(60) }),
  ]);
  assert.deepEqual(drawn(ahead.path), ['* gateway at 0 100 self 50', '  * orders at 2010 50 self 50']);
  // One event with a time in the future says nothing about its host's clock.
  const planned = summarizeRequest([
    ...[0, 10, 20].map((ms) => event(ms, 'a', received(ms))),
    event(5, 'b', received(5)),
    event(9000, 'a', received(30)),
  ]);
  assert.deepEqual(planned.services, ['a', 'b']);
  assert.equal(planned.slowest[0]?.ms, 8980);
});

test('any events give a bounded summary: rings of parents, one event, none', () => {
  assert.deepEqual(summarizeRequest([]), {
    events: 0,
    services: [],
    slowest: [],
    path: { by: 'order', steps: [], omitted: 0 },
    sample: [],
  });
  const ids = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const any = fc.record({
    id: fc.option(ids),
    parent: fc.option(ids),
    level: fc.constantFrom<Level>('info', 'error'),
    at: fc.nat(1000),
    service: fc.constantFrom('s1', 's2', 's3'),
    message: fc.constantFrom(
      's1 failed',
      'upstream answered 503 to s2',
      'nested exception is x.y: connection refused',
    ),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 200 }), (all) => {
      const events = all.map(({ id, parent, level, at, service, message }, i) => ({
        ...event(at, service, {
          level,
          message,
          spanId: id,
          attributes: JSON.stringify({ parentSpanId: parent }),
        }),
        offset: i,
        id: `e${i}`,
      }));
      const { sample, path, slowest, firstError } = summarizeRequest(events);
      const errors = events.filter((e) => e.level === 'error').length;
      assert.equal(sample.length, Math.min(20, events.length));
      assert.equal(sample.filter((l) => l.level === 'error').length, Math.min(20, errors));
      assert.equal(firstError !== undefined, errors > 0);
      assert.ok(slowest.length <= 5 && slowest.every((s) => s.ms > 0 && (s.by === 'self' || s.share <= 1)));
      if (path.by === 'order') return assert.ok(path.steps.length <= 50);
      const spans = new Set(events.flatMap((e) => (e.spanId === null ? [] : `${e.spanId} ${e.service}`)));
      assert.equal(
        path.steps.reduce((sum, s) => sum + (s.count ?? 1), path.omitted),
        spans.size,
      );
      path.steps.forEach(({ ms, selfMs, depth }, i) => {
        assert.ok(selfMs >= 0 && selfMs <= ms);
        assert.ok(depth <= (path.steps[i - 1]?.depth ?? -1) + 1);
      });
    }),
  );
});

test('a request of 50,000 spans, in a chain or side by side, stays small, and what matters stays in it', () => {
  const many = Array.from({ length: 50_000 }, (_, i) => i);
  const side = [
    span(0, 'root', 'root'),
    ...many.map((i) => span(i + 1, `s${i}`, `c${i}`, 'root', { level: i === 4321 ? 'error' : 'info' })),
  ];
  const { path, firstError } = summarizeRequest(side);
  assert.ok(path.by === 'spans');
  assert.deepEqual([path.steps.length, path.omitted, path.steps[0]!.omitted], [200, 49_801, 49_801]);
  assert.ok(JSON.stringify(path).length < 100_000);
  assert.ok(path.steps.some(({ spanId }) => spanId === 'c4321'));
  assert.equal(firstError?.timestamp, '1970-01-01T00:00:04.322000Z');
  const chain = summarizeRequest(
    many.map((i) => span(i, 's', `c${i}`, i === 0 ? undefined : `c${i - 1}`)),
  ).path;
  assert.ok(chain.by === 'spans');
  assert.deepEqual([chain.steps.length, chain.omitted, chain.steps.at(-1)!.omitted], [200, 49_800, 49_800]);
});

/** Each span as a line: `*` where it is critical, its service, name, length and self time. */
function drawn(path: ReturnType<typeof summarizeRequest>['path']): string[] {
  assert.ok(path.by === 'spans');
  return path.steps.map(({ depth, critical, count, service, name, ms, selfMs, movedMs }) => {
    const moved = movedMs === undefined ? '' : ` moved ${movedMs}`;
    const times = count === undefined ? '' : `${count} × `;
    return `${'  '.repeat(depth)}${critical ? '* ' : ''}${times}${service} ${name} ${ms} self ${selfMs}${moved}`;
  });
}

test('a span of a tracer takes as long as it says, whether or not its service logs', () => {
  const traced = (ms: number, service: string, id: string, durationMs: number, parentSpanId?: string) =>
    event(ms, service, {
      spanId: id,
      message: `${service} work`,
      attributes: JSON.stringify({
        eventKind: 'span',
        spanName: `${service} work`,
        durationMs,
        parentSpanId,
      }),
    });
  const { path, slowest } = summarizeRequest([
    traced(0, 'gateway', 'root', 100),
    event(5, 'gateway', { spanId: 'root' }),
    traced(10, 'payment', 'p', 60.5, 'root'),
  ]);
  assert.deepEqual(drawn(path), [
    '* gateway gateway work 100 self 39.5',
    '  * payment payment work 60.5 self 60.5',
  ]);
  assert.deepEqual(
    slowest.map((step) => step.by === 'self' && [step.service, step.ms]),
    [
      ['payment', 60.5],
      ['gateway', 39.5],
    ],
  );
  const alone = summarizeRequest([traced(0, 'cron', 'only', 20)]);
  assert.deepEqual(drawn(alone.path), ['* cron cron work 20 self 20']);
});
