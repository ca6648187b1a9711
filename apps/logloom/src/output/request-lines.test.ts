import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestLines, type RequestJson } from './request-lines.ts';
import { requestPathLines, type PathJson } from './request-path-lines.ts';
import { requestsSummaryLines } from './requests-summary-lines.ts';

const span = (depth: number, service: string, rest = {}) => ({
  depth,
  service,
  name: 'work',
  ms: 5,
  selfMs: 5,
  errors: 0,
  critical: false,
  ...rest,
});

test('spans are drawn as a tree, of which a terminal shows the beginning', () => {
  const steps = [
    span(0, 'gateway', { name: 'GET /', ms: 90, selfMs: 10, critical: true }),
    span(1, 'orders', { ms: 80, selfMs: 70, omitted: 3 }),
    span(2, 'db', { count: 7 }),
    span(2, 'payment', { errors: 2 }),
    span(1, 'audit'),
    span(0, 'cron'),
    span(1, 'mail'),
  ];
  assert.deepEqual(requestPathLines({ by: 'spans', steps, omitted: 3 }), [
    'gateway GET / · 90 ms, self 10 ms',
    '├─ orders work · 80 ms, self 70 ms and 3 more below',
    '│  ├─ 7 × db work · 5 ms',
    '│  └─ payment work · 5 ms 2 errors',
    '└─ audit work · 5 ms',
    'cron work · 5 ms',
    '└─ mail work · 5 ms',
    '… 3 more spans, see --json',
  ]);
  const many: PathJson = { by: 'spans', steps: Array.from({ length: 60 }, () => span(0, 's')), omitted: 100 };
  assert.deepEqual(requestPathLines(many).slice(39), ['s work · 5 ms', '… 120 more spans, see --json']);
});

test('a request begins with what stands out, and hostile texts stay on their lines', () => {
  const line = (service: string, message: string) => ({ service, message });
  const request: RequestJson = {
    id: 'e-0-1',
    correlationId: 'c',
    lastAt: '2026-01-01T00:00:01.000000Z',
    durationMs: 1000,
    eventCount: 20_000,
    errorCount: 2,
    services: ['gateway', 'payment'],
    rules: [],
    labels: {},
    related: [],
    comparison: {
      requests: 80,
      since: '2026-01-01T00:00:00.000000Z',
      p50Ms: 12,
      p95Ms: 40,
      slowerThan: 80,
      slow: true,
    },
    summary: {
      events: 10_000,
      firstError: {
        ...line('payment', 'long'),
        by: 'causes',
        cause: 'refused\n\u001b[2J',
        consequences: [line('gateway', '502')],
      },
      slowest: [
        { by: 'self', ms: 800, share: 0.8, service: 'payment', name: 'authorize', count: 3 },
        {
          by: 'gap',
          ms: 100,
          share: 0.1,
          after: { service: 'a', name: 'x' },
          before: { service: 'b', name: 'y' },
          acrossHosts: true,
        },
      ],
      path: {
        by: 'order',
        steps: [span(0, 'gateway'), span(0, 'payment')],
        omitted: 4,
      },
    },
    events: [],
  };
  assert.deepEqual(requestLines(request).slice(1), [
    '  slow          longer than 80 of 80 requests of its shape since 2026-01-01T00:00:00Z: median 12 ms, p95 40 ms',
    '  first error   payment refused',
    '                then gateway 502',
    '  slowest       800 ms 80 % 3 × payment authorize',
    "                100 ms 10 % after a x before b y (two hosts' clocks)",
    '  path          gateway 5 ms → payment 5 ms → … 4 more',
    '                of the first 10000 of 20000 events',
  ]);
  const few = { ...request, comparison: { requests: 7, slow: false } };
  assert.ok(!requestLines(few).some((each) => each.includes('of its shape')));
});

test('the groups of requests are a table', () => {
  const figures = { requests: 1200, errors: 0, rate: 12.3456, p50: 0.1234, p95: 20, p99: 1234.5 };
  const latest = { id: 'e-0-1', services: ['gateway', 'cart'], name: 'GET /cart' };
  const summary = {
    from: '2026-01-01T00:00:00.000000Z',
    to: '2026-01-01T01:00:00.000000Z',
    complete: false,
    all: figures,
    groups: [
      { ...figures, key: { shape: 'a'.repeat(16) }, latest },
      { ...figures, requests: 3, errors: 3, key: { service: 'cart' }, latest },
    ],
    otherGroups: 2,
    without: 1,
  };
  assert.deepEqual(requestsSummaryLines(summary), [
    '2026-01-01T00:00:00.000000Z to 2026-01-01T01:00:00.000000Z',
    'requests  per s  errors  p50 ms  p95 ms  p99 ms',
    '    1200   12.3       0   0.123      20    1235  all',
    '    1200   12.3       0   0.123      20    1235  aaaaaaaaaaaaaaaa GET /cart  gateway → cart',
    '       3   12.3       3   0.123      20    1235  cart',
    'only the latest requests are counted',
    '2 more groups',
    '1 requests belong to none',
  ]);
});
