import { idKinds, type LogEvent } from '@logloom/schemas';
import { parseRules } from '@logloom/rules/rules-file';
import { logEvent } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tryRules } from './try-rules.ts';

const options = {
  idleMs: 5000,
  maxMs: 30_000,
  graceMs: 30_000,
  maxEvents: 100,
  maxSessions: 100,
  memoryBytes: 1e9,
  joins: true,
};

test('a rule sees the request of several ids whole, also if the link comes last', async () => {
  const rules = parseRules(
    "rules: [{ name: spread, when: 'level:error', count: 2, distinct: { field: service, count: 2 } }]",
  );
  assert.ok(rules.ok);
  const event = (n: number, correlationKind: string, correlationId: string, service: string): LogEvent =>
    logEvent(n, { correlationId, correlationKind, service, level: 'error', traceId: null });
  const events = [
    event(0, 'traceId', 't', 'orders'),
    event(1, 'requestId', 'r', 'gateway'),
    { ...event(2, 'traceId', 't', 'orders'), attributes: '{"requestId":"r"}' },
  ];
  async function* given(): AsyncGenerator<LogEvent> {
    yield* events;
  }
  const joins = new Set(idKinds);
  const joined = await tryRules(rules.rules, given(), options, { order: idKinds, joins });
  assert.deepEqual([joined.events, joined.documents, joined.rules[0]!.documents], [3, 1, 1]);
  const apart = await tryRules(rules.rules, given(), options, { order: idKinds, joins: new Set() });
  assert.deepEqual([apart.events, apart.documents, apart.rules[0]!.documents], [3, 2, 0]);
});
