import {
  contractNames,
  contractText,
  correlationDefaults,
  levels,
  parseSchema,
  versionPath,
  type Acknowledgement,
  type Alert,
  type Correlation,
  type DeadLetter,
  type Forward,
  type Link,
  type LogEvent,
  type Rules,
  type Silence,
  type Tick,
  type WindowCut,
  type WindowSnapshot,
} from '@logloom/schemas';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { createEmbeddedSchemaRegistry, subjectOf } from './embedded.ts';
import { SchemaRegistryError } from './schema-registry.ts';
import { createSerde, type Decoded, type Serde } from './serde.ts';

type Value = { [D in Decoded as D['name']]: readonly [name: D['name'], value: D['value']] }[Decoded['name']];

const text = fc.string({ unit: 'grapheme' });
const int = fc.integer();
// What Avro's long takes exactly in JavaScript.
const long = fc.oneof(int, fc.integer({ min: -(2 ** 52), max: 9_007_199_254_740_990 }));
const optional = fc.option(text);
const plain = { noNullPrototype: true } as const;
// JavaScript's plain objects can't hold this key; no label gets here with it (zod leaves it out), and a level is one of five.
const key = text.filter((k) => k !== '__proto__');
const source = fc.record({ kind: text, topic: text, partition: int, offset: long, index: int }, plain);

const logEvent: fc.Arbitrary<LogEvent> = fc.record(
  {
    source,
    timestamp: long,
    receivedAt: long,
    level: fc.constantFrom(...levels),
    service: text,
    host: optional,
    message: text,
    correlationId: optional,
    correlationKind: optional,
    traceId: optional,
    spanId: optional,
    attributes: text,
  },
  plain,
);
const correlation: fc.Arbitrary<Correlation> = fc.record(
  {
    id: text,
    correlationId: text,
    kind: text,
    revision: int,
    closeReason: fc.constantFrom('rule', 'idle', 'max', 'size', 'evicted'),
    firstAt: long,
    lastAt: long,
    services: fc.array(text),
    levels: fc.dictionary(key, int, plain),
    rules: fc.array(text),
    severity: optional,
    partition: int,
    firstOffset: long,
    closeOffset: long,
    closeSequence: int,
    firstClosedAt: long,
    memberDeltas: fc.array(long, { maxLength: 200 }),
    rulesVersion: text,
    labels: fc.dictionary(key, text, plain),
    alerts: fc.array(text),
    final: fc.boolean(),
    closedAt: long,
    ids: fc.array(text),
    shape: text,
    backfill: fc.boolean(),
    joinedInto: optional,
    forwarded: fc.array(fc.record({ at: long, partition: int, offset: long }, plain), { maxLength: 20 }),
    joinLimited: fc.boolean(),
  },
  plain,
);
const bytes = fc.uint8Array({ maxLength: 100 }).map((b) => Buffer.from(b));
const deadLetter: fc.Arbitrary<DeadLetter> = fc.record(
  { code: text, message: text, source, receivedAt: long, payload: bytes, key: optional, address: optional },
  plain,
);
const tick: fc.Arbitrary<Tick> = fc.record({ dueAt: long }, plain);

const options = fc.record(
  {
    algorithm: int,
    idleMs: long,
    maxMs: long,
    graceMs: long,
    maxEvents: long,
    maxGroups: long,
    memoryBytes: long,
    backfill: fc.option(fc.record({ idleMs: long, maxMs: long, graceMs: long, memoryBytes: long }, plain), {
      nil: null,
    }),
  },
  plain,
);
const rules: fc.Arbitrary<Rules> = fc.record(
  { version: text, text, options: fc.option(options, { nil: null }) },
  plain,
);
const alert: fc.Arbitrary<Alert> = fc.record(
  {
    id: text,
    rule: text,
    rulesVersion: text,
    message: text,
    severity: optional,
    labels: fc.dictionary(key, text, plain),
    webhook: optional,
    at: long,
    documentId: text,
    revision: int,
    correlationId: text,
    services: fc.array(text),
    eventCount: int,
    errorCount: int,
    firstAt: long,
    lastAt: long,
    closeOffset: long,
    closeSequence: int,
    index: int,
    writer: text,
    fingerprint: text,
    state: text,
    scope: text,
    startsAt: fc.option(long, { nil: null }),
    endsAt: fc.option(long, { nil: null }),
    key: fc.dictionary(key, text, plain),
    value: fc.option(fc.double({ noNaN: true }), { nil: null }),
    condition: text,
    examples: fc.array(text),
    resolveAfterMs: fc.option(long, { nil: null }),
    occurrences: fc.option(int, { nil: null }),
  },
  plain,
);

const cause = fc.record({ partition: int, offset: long, sequence: int }, plain);
const link: fc.Arbitrary<Link> = fc.record(
  { id: text, into: text, kind: text, rank: int, cause: fc.option(cause) },
  plain,
);
const forward: fc.Arbitrary<Forward> = fc.record(
  {
    into: text,
    kind: text,
    partition: int,
    offset: long,
    hops: int,
    cause,
    event: bytes,
  },
  plain,
);
const silence: fc.Arbitrary<Silence> = fc.record(
  {
    id: text,
    matchers: fc.array(text),
    startsAt: long,
    endsAt: fc.option(long, { nil: null }),
    reason: text,
    author: text,
    createdAt: long,
    endedBy: optional,
    windows: fc.array(fc.record({ days: fc.array(text), from: text, to: text }, plain)),
    timeZone: text,
  },
  plain,
);
const acknowledgement: fc.Arbitrary<Acknowledgement> = fc.record(
  { fingerprint: text, rule: text, author: text, note: text, at: long, startsAt: long },
  plain,
);

const windowCut: fc.Arbitrary<WindowCut> = fc.record(
  {
    epoch: text,
    input: int,
    from: long,
    to: long,
    piece: int,
    isLast: fc.boolean(),
    sinceMs: long,
    clockMs: long,
    rulesVersion: text,
    rulesText: fc.option(text, { nil: null }),
    overLimit: fc.array(text),
    contributions: text,
  },
  plain,
);

const windowSnapshot: fc.Arbitrary<WindowSnapshot> = fc.record(
  {
    position: long,
    piece: int,
    pieces: int,
    data: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  },
  plain,
);

const any: fc.Arbitrary<Value> = fc.oneof(
  logEvent.map((value) => ['LogEvent', value] as const),
  correlation.map((value) => ['Correlation', value] as const),
  deadLetter.map((value) => ['DeadLetter', value] as const),
  tick.map((value) => ['Tick', value] as const),
  rules.map((value) => ['Rules', value] as const),
  alert.map((value) => ['Alert', value] as const),
  link.map((value) => ['Link', value] as const),
  forward.map((value) => ['Forward', value] as const),
  silence.map((value) => ['Silence', value] as const),
  acknowledgement.map((value) => ['Acknowledgement', value] as const),
  windowCut.map((value) => ['WindowCut', value] as const),
  windowSnapshot.map((value) => ['WindowSnapshot', value] as const),
);

/** Copies into plain objects: avsc's records have a constructor of their own. */
function plainly(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('hex');
  if (Array.isArray(value)) return value.map(plainly);
  if (value === null || typeof value !== 'object') return value;
  return Object.entries(value)
    .map(([key, inner]): [string, unknown] => [key, plainly(inner)])
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function assertSame(decoded: Decoded, [name, value]: Value): void {
  assert.equal(decoded.name, name);
  assert.deepEqual(plainly(decoded.value), plainly(value));
}

const isBadFraming = (error: unknown): boolean =>
  error instanceof SchemaRegistryError && error.code === 'bad-framing';

/** Decodes; undefined for bytes that are refused as they should be. Any other error fails the test. */
function decodeOrRefuse(serde: Serde, framed: Buffer): Decoded | undefined {
  try {
    return serde.decode(framed);
  } catch (error) {
    assert.ok(isBadFraming(error), String(error));
    return undefined;
  }
}

function encode(serde: Serde, [name, value]: Value): Buffer {
  switch (name) {
    case 'LogEvent':
      return serde.encode(name, value);
    case 'Correlation':
      return serde.encode(name, value);
    case 'DeadLetter':
      return serde.encode(name, value);
    case 'Tick':
      return serde.encode(name, value);
    case 'Rules':
      return serde.encode(name, value);
    case 'Alert':
      return serde.encode(name, value);
    case 'Link':
      return serde.encode(name, value);
    case 'Forward':
      return serde.encode(name, value);
    case 'Silence':
      return serde.encode(name, value);
    case 'Acknowledgement':
      return serde.encode(name, value);
    case 'WindowCut':
      return serde.encode(name, value);
    case 'WindowSnapshot':
      return serde.encode(name, value);
  }
}

/** A serde that has loaded every contract. */
async function loadedSerde(projections?: Parameters<typeof createSerde>[1]): Promise<Serde> {
  const serde = await createSerde(createEmbeddedSchemaRegistry(), projections);
  for (const value of [
    // Enough that no contract is left out.
    ...fc.sample(any, 300),
    ...fc.sample(correlation, 1).map((c) => ['Correlation', c] as const),
  ])
    await serde.load([encode(serde, value)]);
  return serde;
}

describe('serde', () => {
  test('returns every value of every contract unchanged', async () => {
    const serde = await createSerde(createEmbeddedSchemaRegistry());
    await fc.assert(
      fc.asyncProperty(any, async (value) => {
        const framed = encode(serde, value);
        await serde.load([framed]);
        assertSame(serde.decode(framed), value);
      }),
    );
  });

  test("frames as Confluent's wire format has it", async () => {
    const serde = await createSerde(createEmbeddedSchemaRegistry());
    // Tick is the fourth contract in its second version: id 3002 = 0x0bba. 3 as a zig-zag varint is 6.
    assert.deepEqual([...serde.encode('Tick', { dueAt: 3 })], [0, 0, 0, 0x0b, 0xba, 6]);
  });

  test('values encoded one after the other do not touch each other, whatever their sizes', async () => {
    const serde = await loadedSerde();
    const sizes = [0, 1, 300_000, 5, 800_000, 2_500_000, 7, 1_048_560, 20, 1_048_576, 3];
    const values = [...sizes, ...sizes].map((size, i): Value => [
      'DeadLetter',
      {
        code: `c${i}`,
        message: 'é'.repeat(size % 1000),
        source: { kind: 'http', topic: 't', partition: 0, offset: i, index: 0 },
        receivedAt: i,
        payload: Buffer.alloc(size, i + 1),
        key: null,
        address: '10.0.0.1',
      },
    ]);
    const framed = values.map((value) => encode(serde, value));
    await serde.load(framed);
    framed.forEach((buffer, i) => assertSame(serde.decode(buffer), values[i]!));
  });

  test('many small values fill several slabs and all come back', async () => {
    const serde = await loadedSerde();
    const values = fc.sample(any, { numRuns: 300, seed: 7 });
    const framed: Buffer[] = [];
    for (let total = 0; total < 3 << 20; total += framed.at(-1)!.length)
      framed.push(encode(serde, values[framed.length % values.length]!));
    framed.forEach((buffer, i) => assertSame(serde.decode(buffer), values[i % values.length]!));
  });

  test('a value that does not fit its schema is refused and harms no other', async () => {
    const serde = await loadedSerde();
    const before = serde.encode('Tick', { dueAt: 1 });
    assert.throws(() => serde.encode('Tick', { dueAt: 'soon' } as unknown as Tick));
    assert.throws(() => serde.encode('Tick', { dueAt: Number.MAX_SAFE_INTEGER }));
    const after = serde.encode('Tick', { dueAt: 2 });
    assertSame(serde.decode(before), ['Tick', { dueAt: 1 }]);
    assertSame(serde.decode(after), ['Tick', { dueAt: 2 }]);
  });
});

describe('bytes that are no record', () => {
  test('not in the wire format: bad-framing', async () => {
    const serde = await createSerde(createEmbeddedSchemaRegistry());
    for (const framed of ['', '00', '00000000', '0100000001', '7b2261223a317d'].map((hex) =>
      Buffer.from(hex, 'hex'),
    )) {
      await serde.load([framed]);
      assert.throws(() => serde.decode(framed), isBadFraming);
    }
  });

  test('an unknown or unloaded schema id: unknown-schema-id', async () => {
    const serde = await createSerde(createEmbeddedSchemaRegistry());
    const isUnknown = { name: 'SchemaRegistryError', code: 'unknown-schema-id' };
    const unknown = Buffer.from([0, 0x7f, 0, 0, 0, 1]);
    await serde.load([unknown]);
    assert.throws(() => serde.decode(unknown), isUnknown);
    assert.throws(() => serde.decode(serde.encode('Tick', { dueAt: 1 })), isUnknown);
  });

  test('a schema that is none of the contracts: unknown-schema-id', async () => {
    const registry = createEmbeddedSchemaRegistry();
    const schema = { type: 'record', name: 'Other', namespace: 'org.example', fields: [] };
    const id = await registry.register('org.example.Other', JSON.stringify(schema));
    const framed = Buffer.alloc(5);
    framed.writeUInt32BE(id, 1);
    const serde = await createSerde(registry);
    const good = serde.encode('Tick', { dueAt: 1 });
    await serde.load([framed, good]);
    assert.throws(() => serde.decode(framed), { code: 'unknown-schema-id' });
    assert.equal(serde.decode(good).name, 'Tick', 'the bad one costs the good one nothing');
  });

  test('a registry that is unreachable: load rejects, for it says nothing of the record', async () => {
    const registry = createEmbeddedSchemaRegistry();
    const serde = await createSerde({
      ...registry,
      schemaById: () => Promise.reject(new SchemaRegistryError('registry-unavailable', 'away')),
    });
    await assert.rejects(serde.load([serde.encode('Tick', { dueAt: 1 })]), { code: 'registry-unavailable' });
  });

  test('cut anywhere, or with bytes after the end: bad-framing', async () => {
    const serde = await loadedSerde();
    fc.assert(
      fc.property(any, bytes, (value, trailing) => {
        const framed = Buffer.from(encode(serde, value));
        for (let end = 0; end < framed.length; end++)
          assert.throws(() => serde.decode(framed.subarray(0, end)), isBadFraming);
        if (trailing.length > 0)
          assert.throws(() => serde.decode(Buffer.concat([framed, trailing])), isBadFraming);
      }),
    );
  });

  for (const projected of [false, true]) {
    test(`random bodies ${projected ? 'under a projection ' : ''}are refused or a whole value, and never a hang`, async () => {
      const few = {
        type: 'record',
        name: 'Correlation',
        namespace: 'io.logloom',
        fields: [{ name: 'closeSequence', type: 'int' }],
      };
      const serde = await loadedSerde(projected ? { Correlation: JSON.stringify(few) } : {});
      const id = fc.constantFrom(2, 1005, 2003, 3002, 4004, 5003, 6001, 7001, 8001, 9001);
      fc.assert(
        fc.property(id, fc.uint8Array({ maxLength: 80 }), (schemaId, body) => {
          const framed = Buffer.concat([Buffer.from([0, 0, 0, schemaId >> 8, schemaId & 0xff]), body]);
          decodeOrRefuse(serde, framed);
        }),
        { numRuns: 5000 },
      );
      fc.assert(
        fc.property(
          any,
          fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)), {
            minLength: 1,
            maxLength: 4,
          }),
          (value, edits) => {
            const framed = Buffer.from(encode(serde, value));
            for (const [at, byte] of edits) framed[5 + (at % (framed.length - 5))] = byte;
            decodeOrRefuse(serde, framed);
          },
        ),
        { numRuns: 3000 },
      );
    });
  }

  test('block counts and sizes that cannot be are refused at once', async () => {
    const serde = await loadedSerde();
    const value = fc.sample(correlation, { numRuns: 1, seed: 1 })[0]!;
    const framed = Buffer.from(
      serde.encode('Correlation', { ...value, memberDeltas: [], ...correlationDefaults }),
    );
    // The fields behind memberDeltas are all empty: a zero each.
    const behind = Buffer.alloc(Object.keys(correlationDefaults).length);
    const body = framed.subarray(0, -1 - behind.length);
    const blocks = {
      'a count of two thousand million': 'feffffff0f',
      'a count of 2^62': 'feffffffffffffff7f',
      'a negative count without items': 'fdffffff0f02',
      'a negative size': '010100',
      'a varint without end': 'ff'.repeat(40),
    };
    for (const [what, hex] of Object.entries(blocks))
      assert.throws(
        () => serde.decode(Buffer.concat([body, Buffer.from(hex, 'hex'), behind])),
        isBadFraming,
        what,
      );
    // Blocks with their size, as other writers make them, are Avro like any other: count -2, size 2, items 0 and 1.
    const sized = serde.decode(Buffer.concat([body, Buffer.from('0304000200', 'hex'), behind]));
    assertSame(sized, ['Correlation', { ...value, memberDeltas: [0, 1], ...correlationDefaults }]);
  });
});

describe('other versions', () => {
  const logEventSchema = JSON.parse(contractText('LogEvent')) as { fields: { name: string }[] };
  const withFields = (keep: (name: string) => boolean): string =>
    JSON.stringify({ ...logEventSchema, fields: logEventSchema.fields.filter((field) => keep(field.name)) });

  test('a projection decodes its own fields and nothing else', async () => {
    const projection = withFields((name) => ['source', 'level', 'attributes'].includes(name));
    const serde = await createSerde(createEmbeddedSchemaRegistry(), { LogEvent: projection });
    await fc.assert(
      fc.asyncProperty(logEvent, async (event) => {
        const framed = serde.encode('LogEvent', event);
        await serde.load([framed]);
        const { source, level, attributes } = event;
        assert.deepEqual(plainly(serde.decode(framed).value), plainly({ source, level, attributes }));
      }),
    );
  });

  test('a record that was written with an earlier text of its contract is read, field for field', async () => {
    const serde = await createSerde(createEmbeddedSchemaRegistry());
    const samples = [
      ...fc.sample(any, { numRuns: 100, seed: 1 }),
      ...fc.sample(correlation, 5).map((c): Value => ['Correlation', c]),
    ];
    const read = new Set<string>();
    for (const [name, value] of samples) {
      for (let version = 1; existsSync(versionPath(name, version)); version++) {
        const schema = parseSchema(readFileSync(versionPath(name, version), 'utf8'));
        const framed = Buffer.concat([Buffer.alloc(5), schema.toBuffer(value)]);
        framed.writeUInt32BE(contractNames.indexOf(name) * 1000 + version, 1);
        await serde.load([framed]);
        const decoded = serde.decode(framed);
        assert.equal(decoded.name, name);
        // Of records in records too, only the fields that the version has.
        const written = (whole: unknown): unknown => plainly(schema.fromBuffer(schema.toBuffer(whole)));
        assert.deepEqual(written(decoded.value), written(value));
        read.add(`${name} ${version}`);
      }
    }
    assert.ok(
      contractNames.every((name) =>
        [1, 2].every((version) => !existsSync(versionPath(name, version)) || read.has(`${name} ${version}`)),
      ),
      [...read].join(),
    );
  });

  test('a record of an older version is read with the defaults of the fields that it lacks', async () => {
    const registry = createEmbeddedSchemaRegistry();
    const older = withFields((name) => name !== 'host' && name !== 'attributes');
    const id = await registry.register(subjectOf('LogEvent'), older);
    const serde = await createSerde(registry);
    const event = fc.sample(logEvent, { numRuns: 1, seed: 1 })[0]!;
    const framed = Buffer.concat([Buffer.alloc(5), parseSchema(older).toBuffer(event)]);
    framed.writeUInt32BE(id, 1);
    await serde.load([framed]);
    assertSame(serde.decode(framed), ['LogEvent', { ...event, host: null, attributes: '{}' }]);
    assert.throws(() => serde.decode(framed.subarray(0, -1)), isBadFraming);
  });
});
