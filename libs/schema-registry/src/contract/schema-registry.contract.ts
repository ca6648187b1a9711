import { contractNames, contractText } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { subjectOf } from '../embedded.ts';
import {
  SchemaRegistryError,
  type SchemaRegistry,
  type SchemaRegistryErrorCode,
} from '../schema-registry.ts';
import { createSerde } from '../serde.ts';

/** Registers the tests that every adapter of the port passes. Subjects have names of their own, so the registry may be shared. */
export function schemaRegistryContract(name: string, open: () => Promise<SchemaRegistry>): void {
  describe(`${name} keeps the contract of SchemaRegistry`, () => {
    let registry: SchemaRegistry;
    before(async () => void (registry = await open()));
    after(async () => registry.close());

    const rejectsWith = (code: SchemaRegistryErrorCode, promise: Promise<unknown>): Promise<void> =>
      assert.rejects(promise, (error) => error instanceof SchemaRegistryError && error.code === code);
    /** A record of its own with the given fields, by default one string. */
    const schema = (record: string, ...fields: object[]): string =>
      JSON.stringify({ type: 'record', name: record, fields: [{ name: 'a', type: 'string' }, ...fields] });
    const newRecord = (): string => `Contract_${randomUUID().replaceAll('-', '')}`;

    test('the same schema under the same subject gets the same id, however it is laid out', async () => {
      const record = newRecord();
      const id = await registry.register(record, schema(record));
      assert.ok(Number.isInteger(id) && id > 0 && id < 2 ** 31);
      assert.equal(await registry.register(record, schema(record)), id);
      const spaced = JSON.stringify(JSON.parse(schema(record)), null, 4);
      assert.equal(await registry.register(record, spaced), id);
      assert.deepEqual(JSON.parse(await registry.schemaById(id)), JSON.parse(schema(record)));
    });

    test('a compatible version gets an id of its own, and the older one stays', async () => {
      const record = newRecord();
      const next = schema(record, { name: 'b', type: 'int', default: 7 });
      const first = await registry.register(record, schema(record));
      assert.equal(await registry.compatible(record, next), true);
      const second = await registry.register(record, next);
      assert.notEqual(second, first);
      assert.deepEqual(JSON.parse(await registry.schemaById(first)), JSON.parse(schema(record)));
      assert.deepEqual(JSON.parse(await registry.schemaById(second)), JSON.parse(next));
      assert.equal(await registry.register(record, schema(record)), first);
    });

    test('a version that cannot read what was written is incompatible-schema', async () => {
      const record = newRecord();
      await registry.register(record, schema(record));
      const broken = schema(record, { name: 'b', type: 'int' });
      assert.equal(await registry.compatible(record, broken), false);
      await rejectsWith('incompatible-schema', registry.register(record, broken));
      const retyped = JSON.stringify({ type: 'record', name: record, fields: [{ name: 'a', type: 'int' }] });
      assert.equal(await registry.compatible(record, retyped), false);
      await rejectsWith('incompatible-schema', registry.register(record, retyped));
    });

    test('anything is compatible with a subject that has no schema', async () => {
      const record = newRecord();
      assert.equal(await registry.compatible(record, schema(record)), true);
    });

    test('an id that was never given is unknown-schema-id', async () => {
      await rejectsWith('unknown-schema-id', registry.schemaById(2_000_000_000));
    });

    test('it takes the contracts and serves what they wrote', async () => {
      const ids = new Set<number>();
      for (const contract of contractNames) {
        const id = await registry.register(subjectOf(contract), contractText(contract));
        assert.deepEqual(JSON.parse(await registry.schemaById(id)), JSON.parse(contractText(contract)));
        ids.add(id);
      }
      assert.equal(ids.size, contractNames.length);
      const serde = await createSerde(registry);
      const bytes = serde.encode('Tick', { dueAt: 5 });
      await serde.load([bytes]);
      assert.equal((serde.decode(bytes) as { value: { dueAt: number } }).value.dueAt, 5);
    });
  });
}
