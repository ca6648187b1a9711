import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFilter, requiresKind } from '../index.ts';

function requires(text: string, of: 'events' | 'documents'): boolean {
  const result = parseFilter(text);
  assert.ok(result.ok, text);
  return requiresKind(result.filter, 'loadtest', of);
}

test('a filter requires a kind when nothing else can match', () => {
  for (const text of [
    'correlationKind:loadtest',
    'correlationKind:loadtest AND level:error AND attributes.loadtest.run:ab12',
    'correlationKind:"loadtest" AND (service:a OR service:b)',
    'correlationKind:loadtest OR correlationKind:loadtest',
  ])
    for (const which of ['events', 'documents'] as const) assert.equal(requires(text, which), true, text);
  for (const text of ['kind:loadtest', 'kind:"loadtest" AND (service:a OR service:b)']) {
    assert.equal(requires(text, 'documents'), true, text);
    assert.equal(requires(text, 'events'), false, 'an attribute that any event may have');
  }
  for (const text of [
    '',
    '*',
    'loadtest',
    'correlationKind:*',
    'correlationKind:load*',
    'correlationKind:loadtests',
    'correlationKind:loadtest OR level:error',
    'correlationKind:loadtest OR correlationKind:traceId',
    'NOT correlationKind:loadtest',
    'NOT kind:loadtest',
    'attributes.loadtest.run:ab12',
    'service:loadtest-1',
  ])
    for (const which of ['events', 'documents'] as const) assert.equal(requires(text, which), false, text);
});
