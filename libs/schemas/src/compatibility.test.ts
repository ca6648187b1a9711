import fc from 'fast-check';
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, test } from 'node:test';
import {
  contractNames,
  contractPath,
  contractText,
  parseSchema,
  versionPath,
  type ContractName,
} from './contracts.ts';
import { avroArbitrary, type AvroField, type AvroObject, type AvroSchema } from './testing/avro-arbitrary.ts';

const parse = (text: string): AvroObject => JSON.parse(text) as AvroObject;

function versions(name: ContractName): { version: number; schema: AvroObject }[] {
  const found: { version: number; schema: AvroObject }[] = [];
  for (let version = 1; existsSync(versionPath(name, version)); version++)
    found.push({ version, schema: parse(readFileSync(versionPath(name, version), 'utf8')) });
  return found;
}

/** The schema without its docs, which say nothing about the bytes. */
function stripDocs<T>(schema: T): T {
  return JSON.parse(
    JSON.stringify(schema, (key, value: unknown) => (key === 'doc' ? undefined : value)),
  ) as T;
}

/** What a reader should see of a value: its own fields, with the default where the writer had none. */
function seenBy(reader: AvroSchema, value: unknown): unknown {
  if (typeof reader === 'string' || Array.isArray(reader)) return value;
  if (reader.type === 'record') {
    const written = value as Record<string, unknown>;
    return Object.fromEntries(
      reader.fields!.map((field) => [
        field.name,
        field.name in written ? seenBy(field.type, written[field.name]) : field.default,
      ]),
    );
  }
  return typeof reader.type === 'string' ? value : seenBy(reader.type, value);
}

/** Writes generated values with one schema and reads them with the other; throws where that fails or returns something else. */
function assertReads(reader: AvroObject, writer: AvroObject): void {
  const writerType = parseSchema(JSON.stringify(writer));
  const readerType = parseSchema(JSON.stringify(reader));
  const resolver = readerType.createResolver(writerType);
  fc.assert(
    fc.property(avroArbitrary(writer), (value) => {
      const read: unknown = readerType.fromBuffer(writerType.toBuffer(value), resolver);
      // avsc's records have a constructor of their own; only what they hold counts.
      assert.deepEqual(readerType.toString(read), readerType.toString(seenBy(reader, value)));
      assert.ok(readerType.equals(readerType) && readerType.isValid(read));
    }),
    { numRuns: 100 },
  );
}

for (const name of contractNames) {
  describe(name, () => {
    const current = parse(contractText(name));
    const kept = versions(name);

    test('is kept as its newest version', () => {
      const next = basename(versionPath(name, kept.length + 1));
      assert.deepEqual(
        stripDocs(current),
        stripDocs(kept.at(-1)?.schema),
        `The contract ${name} has changed. Keep the change as a version of its own: copy avro/${basename(contractPath(name))} ` +
          `to versions/${next}, in libs/schemas. Never edit a version: records in the log were written with it.`,
      );
    });

    for (const { version, schema } of kept) {
      test(`reads what version ${version} wrote`, () => assertReads(current, schema));
      test(`is read by version ${version}, which still runs during a deploy`, () =>
        assertReads(schema, current));
    }

    test('says of every field what it is', () => {
      const undocumented: string[] = [];
      const walk = (schema: AvroSchema, path: string): void => {
        if (typeof schema === 'string') return;
        if (Array.isArray(schema)) return schema.forEach((branch) => walk(branch, path));
        if (schema.type === 'record' && !schema.doc) undocumented.push(path);
        for (const field of schema.fields ?? []) {
          if (!field.doc) undocumented.push(`${path}.${field.name}`);
          walk(field.type, `${path}.${field.name}`);
        }
        if (schema.items !== undefined) walk(schema.items, path);
        if (schema.values !== undefined) walk(schema.values, path);
        if (typeof schema.type !== 'string') walk(schema.type, path);
      };
      walk(current, name);
      assert.deepEqual(undocumented, []);
    });
  });
}

describe('the compatibility check finds', () => {
  const current = parse(contractText('LogEvent'));
  const change = (edit: (fields: AvroField[]) => AvroField[]): AvroObject => {
    const copy = structuredClone(current);
    return { ...copy, fields: edit(copy.fields!) };
  };
  const withType = (name: string, type: AvroSchema): AvroObject =>
    change((fields) => fields.map((field) => (field.name === name ? { ...field, type } : field)));
  const level = current.fields!.find((field) => field.name === 'level')!.type as AvroObject;

  test('nothing in a new field with a default, nor in one removed that had a default', () => {
    const added = change((fields) => [...fields, { name: 'region', type: 'string', default: 'none' }]);
    const removed = change((fields) => fields.filter((field) => field.name !== 'host'));
    for (const other of [added, removed]) {
      assertReads(current, other);
      assertReads(other, current);
    }
  });

  test('a removed field without a default', () => {
    const without = change((fields) => fields.filter((field) => field.name !== 'service'));
    assertReads(without, current);
    assert.throws(() => assertReads(current, without));
  });

  test('a new field without a default', () => {
    const added = change((fields) => [...fields, { name: 'region', type: 'string' }]);
    assertReads(current, added);
    assert.throws(() => assertReads(added, current));
  });

  test('a changed type', () => {
    const changed = withType('timestamp', 'string');
    assert.throws(() => assertReads(changed, current));
    assert.throws(() => assertReads(current, changed));
  });

  test('a widened type, which old readers cannot read', () => {
    const widened = withType('service', ['null', 'string']);
    assert.throws(() => assertReads(current, widened));
  });

  test('a removed enum symbol', () => {
    const removed = withType('level', { ...level, symbols: level.symbols!.filter((s) => s !== 'fatal') });
    assert.throws(() => assertReads(removed, current));
  });

  test('a renamed field', () => {
    const renamed = change((fields) =>
      fields.map((field) => (field.name === 'message' ? { ...field, name: 'text' } : field)),
    );
    assert.throws(() => assertReads(renamed, current));
    assert.throws(() => assertReads(current, renamed));
  });

  test('a changed contract without a version of its own, but not a changed doc', () => {
    const redocumented = change((fields) => fields.map((field) => ({ ...field, doc: 'other words' })));
    assert.deepEqual(stripDocs(redocumented), stripDocs(current));
    const changed = change((fields) => fields.map((field) => ({ ...field, default: null })));
    assert.notDeepEqual(stripDocs(changed), stripDocs(current));
  });
});
