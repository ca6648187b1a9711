// Each topic's contract: what its producer writes, each of its consumers reads, through the wire format and the reader's own schema.
import {
  createEmbeddedSchemaRegistry,
  createSerde,
  SchemaRegistryError,
  subjectOf,
  type Serde,
} from '@logloom/schema-registry';
import {
  correlationDefaults,
  alertOf,
  contractText,
  eventToJson,
  placeEvent,
  type Correlation,
  type DeadLetter,
  type LogEvent,
} from '@logloom/schemas';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberEventSchema } from '../../services/correlator/src/member-event-schema.ts';

const event: LogEvent = {
  source: { kind: 'http', topic: 'producer', partition: 0, offset: 41, index: 0 },
  timestamp: 1_675_079_461_822_717,
  receivedAt: 1_675_079_462_000,
  level: 'error',
  service: 'payment',
  host: null,
  message: 'card refused ✗',
  correlationId: '4bf92f35',
  correlationKind: 'traceId',
  traceId: '4bf92f35',
  spanId: null,
  attributes: '{"http":{"status":502},"tags":["a",null]}',
};

const correlation: Correlation = {
  id: '0-7',
  correlationId: '4bf92f35',
  kind: 'traceId',
  revision: 2,
  closeReason: 'idle',
  firstAt: 1,
  lastAt: 2,
  services: ['gateway', 'payment'],
  levels: { info: 1, error: 2 },
  rules: [],
  severity: null,
  partition: 0,
  firstOffset: 7,
  closeOffset: 20,
  closeSequence: 3,
  firstClosedAt: 1_675_079_470_000,
  memberDeltas: [0, 2, 5],
  ...correlationDefaults,
};

const deadLetter: DeadLetter = {
  code: 'bad-json',
  message: 'Unexpected end of JSON input',
  source: event.source,
  receivedAt: 1_675_079_462_000,
  payload: Buffer.from([0x7b, 0xff, 0x00]),
  key: 'shop',
  address: null,
};

async function roundTrip(
  write: (serde: Serde) => Buffer,
  projections: Parameters<typeof createSerde>[1] = {},
): Promise<unknown> {
  const registry = createEmbeddedSchemaRegistry();
  const bytes = write(await createSerde(registry));
  const reader = await createSerde(registry, projections);
  await reader.load([bytes]);
  return reader.decode(bytes).value;
}

test('logs.events: ingest writes what indexer and fanout read whole', async () => {
  const read = (await roundTrip((serde) => serde.encode('LogEvent', event))) as LogEvent;
  assert.deepEqual(plain(read), event);
  assert.deepEqual(JSON.parse(eventToJson(placeEvent(read, 'k3x9', 3, 9))), {
    id: 'k3x9-3-9',
    timestamp: '2023-01-30T11:51:01.822717Z',
    level: 'error',
    service: 'payment',
    message: 'card refused ✗',
    correlationId: '4bf92f35',
    correlationKind: 'traceId',
    traceId: '4bf92f35',
    attributes: { http: { status: 502 }, tags: ['a', null] },
    partition: 3,
    offset: 9,
  });
});

test('logs.events: the correlator reads its part of it, and its own ticks', async () => {
  const { receivedAt: _, ...member } = event;
  const read = await roundTrip((serde) => serde.encode('LogEvent', event), { LogEvent: memberEventSchema });
  assert.deepEqual(plain(read), member);
  assert.deepEqual(
    plain(await roundTrip((serde) => serde.encode('Tick', { dueAt: 5 }), { LogEvent: memberEventSchema })),
    { dueAt: 5 },
  );
});

test('logs.events: the correlator reads the rules and options that another wrote', async () => {
  const rules = {
    version: '0d93a13628eb',
    text: 'rules: []',
    options: {
      algorithm: 1,
      idleMs: 5000,
      maxMs: 30_000,
      graceMs: 30_000,
      maxEvents: 10_000,
      maxGroups: 1_000_000,
      memoryBytes: 2 ** 28,
      backfill: { idleMs: 15_000, maxMs: 300_000, graceMs: 600_000, memoryBytes: 2 ** 27 },
    },
  };
  assert.deepEqual(plain(await roundTrip((serde) => serde.encode('Rules', rules))), rules);
});

test('logs.alerts: the correlator writes what the indexer posts', async () => {
  const rule = {
    name: 'never-paid',
    message: 'm',
    severity: 'high',
    labels: { team: 'shop' },
    webhook: 'http://localhost/hook',
  };
  const alert = alertOf(correlation, 1, rule);
  assert.deepEqual(plain(await roundTrip((serde) => serde.encode('Alert', alert))), alert);
});

test('logs.correlations: the correlator writes what indexer and fanout read', async () => {
  assert.deepEqual(plain(await roundTrip((serde) => serde.encode('Correlation', correlation))), correlation);
});

test('logs.dead-letter: the original bytes come back', async () => {
  const read = (await roundTrip((serde) => serde.encode('DeadLetter', deadLetter))) as DeadLetter;
  assert.deepEqual(Buffer.from(read.payload), deadLetter.payload);
  assert.equal(read.code, deadLetter.code);
});

test('a contract that old records could not be read with is refused', async () => {
  const registry = createEmbeddedSchemaRegistry();
  const schema = JSON.parse(contractText('LogEvent')) as { fields: { name: string; type: unknown }[] };
  schema.fields.push({ name: 'tenant', type: 'string' });
  await assert.rejects(registry.register(subjectOf('LogEvent'), JSON.stringify(schema)), (error: unknown) => {
    assert.ok(error instanceof SchemaRegistryError);
    return error.code === 'incompatible-schema';
  });
});

/** Decoded records are instances of classes of their own. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
