import { contractNames, contractText } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { schemaRegistryContract } from './contract/schema-registry.contract.ts';
import { createEmbeddedSchemaRegistry, subjectOf } from './embedded.ts';

schemaRegistryContract('The embedded registry', async () => createEmbeddedSchemaRegistry());

test('the ids of the contracts never change: they are in every record of every data folder', async () => {
  const registry = createEmbeddedSchemaRegistry();
  const firstVersions = {
    LogEvent: 1,
    Correlation: 1001,
    DeadLetter: 2001,
    Tick: 3001,
    Rules: 4001,
    Alert: 5001,
    Link: 6001,
    Forward: 7001,
    Silence: 8001,
    Acknowledgement: 9001,
    WindowCut: 10001,
    WindowSnapshot: 11001,
  };
  for (const name of contractNames) {
    const first = JSON.parse(await registry.schemaById(firstVersions[name])) as { name: string };
    assert.equal(first.name, name);
  }
});

test('a current contract has the fixed id of its newest version', async () => {
  for (const [i, name] of contractNames.entries()) {
    const id = await createEmbeddedSchemaRegistry().register(subjectOf(name), contractText(name));
    assert.ok(id > i * 1000 && id < (i + 1) * 1000, `${name} has the passing id ${id}`);
  }
});
