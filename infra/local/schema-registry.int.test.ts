import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startStack } from './start-stack.ts';

const stack = await startStack({ only: ['schema-registry'] });
after(() => stack.stop());
const skip = stack.missing['schema-registry'] ?? false;

test('a schema keeps its id when the registry is killed right after it answered', { skip }, async () => {
  const url = stack.env['SCHEMA_REGISTRY_URL']!;
  const schema = JSON.stringify({ type: 'record', name: 'Probe', fields: [{ name: 'at', type: 'long' }] });
  const answer = await fetch(`${url}/subjects/probe-value/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema }),
  });
  const { id } = (await answer.json()) as { id: number };
  await stack.schemaRegistry.kill('SIGKILL');
  await stack.schemaRegistry.restart();
  const found = (await (await fetch(`${url}/schemas/ids/${id}`)).json()) as { schema: string };
  assert.deepEqual(JSON.parse(found.schema), JSON.parse(schema));
});
