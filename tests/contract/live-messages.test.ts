import { clientMessageProblems } from '@logloom/runtime/testing/contract';
import { openApiDocument } from '@logloom/runtime/api-docs/open-api-document';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseClientMessage } from '../../services/fanout/src/protocol/client-message.ts';

const root = join(import.meta.dirname, '../..');

/** The types of the messages in a schema. */
function documentedTypes(title: string): string[] {
  const { $defs = {} } = openApiDocument().components.schemas[title]!;
  const types = Object.values($defs).flatMap(({ properties }) => properties?.['type']?.const ?? []);
  assert.ok(types.length > 5);
  return types.sort() as string[];
}

/** The types that a text names as `type: '…'` or `"type":"…"`. */
function typesIn(text: string): string[] {
  const found = Array.from(text.matchAll(/\btype"?: ?['"](\w+)['"]/g), ([, type]) => type!);
  return [...new Set(found)].sort();
}

test('the messages that the server can send are the documented ones', () => {
  const text = readFileSync(join(root, 'services/fanout/src/protocol/server-message.ts'), 'utf8');
  // Batches are written where their items are.
  assert.deepEqual([...typesIn(text), 'correlations', 'events'].sort(), documentedTypes('ServerMessage'));
});

test('the SDK knows every message that the server sends it', () => {
  const text = readFileSync(join(root, 'clients/viewer/src/protocol.js'), 'utf8');
  // It holds a subscription back by ending it, so it is never told these.
  const unused = ['paused', 'resumed'];
  assert.deepEqual(
    typesIn(text),
    documentedTypes('ServerMessage').filter((type) => !unused.includes(type)),
  );
});

test('the server takes exactly the client messages that the schema allows', () => {
  const wrong = fc.oneof(fc.integer(), fc.boolean(), fc.constant({}), fc.constant([]), fc.constant(''));
  const id = fc.oneof(fc.constantFrom('a', 'x'.repeat(128), 'x'.repeat(129)), wrong);
  const from = fc.oneof(
    fc.constantFrom('now', 'then', null),
    fc.record({ cursor: fc.oneof(fc.constant('v1.e.x.1'), wrong) }),
    fc.record({ tail: fc.oneof(fc.integer({ min: -1, max: 10_001 }), fc.constant(1.5), wrong) }),
    fc.record({ last: fc.oneof(fc.constantFrom('5m', '90s', '1d', '5', 'm', '1w'), wrong) }),
    fc.record({ tail: fc.constant(1), cursor: fc.constant('c') }),
    fc.constant({}),
    wrong,
  );
  const message = fc.record(
    {
      type: fc.oneof(fc.constantFrom(...documentedTypes('ClientMessage'), 'dance'), wrong),
      id,
      filter: fc.oneof(fc.constant('level:error'), wrong),
      stream: fc.oneof(fc.constantFrom('events', 'correlations', 'rain'), wrong),
      from,
      priority: fc.oneof(fc.constantFrom('low', 'normal', 'high', 'highest'), wrong),
      durable: id,
      cursor: fc.oneof(fc.constant('v1.e.x.1'), wrong),
      forMs: fc.oneof(fc.integer({ min: 0, max: 100_000 }), fc.constant(2 ** 31), fc.constant('1')),
      until: fc.oneof(fc.constant(new Date(Date.now() + 60_000).toISOString()), fc.constant('later')),
      anything: fc.anything(),
    },
    { requiredKeys: ['type'] },
  );
  let taken = 0;
  const runs = 3000;
  fc.assert(
    fc.property(message, (each) => {
      const text = JSON.stringify(each);
      const problems = clientMessageProblems(JSON.parse(text));
      const { ok } = parseClientMessage(text);
      if (ok) taken++;
      assert.equal(ok, problems.length === 0, `${text}: ${problems.join('; ')}`);
    }),
    { numRuns: runs },
  );
  assert.ok(taken > runs / 50 && taken < runs / 2, `${taken} were taken`);
});
