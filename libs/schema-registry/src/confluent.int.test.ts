import { whileFrozen } from '@logloom/testing';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { startStack } from '../../../infra/local/start-stack.ts';
import { connectSchemaRegistry } from './confluent.ts';
import { schemaRegistryContract } from './contract/schema-registry.contract.ts';

const stack = await startStack({ only: ['schema-registry'] });
const skip = stack.missing['schema-registry'] ?? false;
const url = stack.env['SCHEMA_REGISTRY_URL'] ?? '';

describe('the Confluent registry', { skip }, () => {
  after(() => stack.stop());

  schemaRegistryContract('connectSchemaRegistry', async () => connectSchemaRegistry(url));

  test('services that start side by side register a new schema at once, and get the same id', async () => {
    for (let round = 0; round < 10; round++) {
      const subject = `side-by-side-${round}`;
      const schema = `{"type":"record","name":"S${round}","fields":[{"name":"a","type":"string"}]}`;
      const ids = await Promise.all(
        Array.from({ length: 4 }, () => connectSchemaRegistry(url).register(subject, schema)),
      );
      assert.equal(new Set(ids).size, 1, String(ids));
    }
  });

  test('a subject that was left without a level, by a kill, gets it; what an operator has set stays', async () => {
    const schema = '{"type":"record","name":"Left","fields":[{"name":"a","type":"string"}]}';
    const request = (method: string, path: string, body: object): Promise<Response> =>
      fetch(`${url}${path}`, {
        method,
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        body: JSON.stringify(body),
      });
    const levelOf = async (subject: string): Promise<string> => {
      const answer = (await (await fetch(`${url}/config/${subject}`)).json()) as {
        compatibilityLevel: string;
      };
      return answer.compatibilityLevel;
    };
    assert.ok((await request('POST', '/subjects/left/versions', { schema })).ok);
    await connectSchemaRegistry(url).register('left', schema);
    assert.equal(await levelOf('left'), 'FULL_TRANSITIVE');
    assert.ok((await request('PUT', '/config/left', { compatibility: 'BACKWARD' })).ok);
    await assert.rejects(connectSchemaRegistry(url).register('left', schema), {
      code: 'incompatible-schema',
      message: /BACKWARD/,
    });
    assert.equal(await levelOf('left'), 'BACKWARD');
  });

  test('a registry that is frozen is unavailable, and answers again when it continues', async () => {
    const schema = '{"type":"record","name":"Frozen","fields":[{"name":"a","type":"string"}]}';
    const id = await connectSchemaRegistry(url).register('frozen', schema);
    const registry = connectSchemaRegistry(url);
    const { pid } = stack.schemaRegistry;
    await whileFrozen([pid!], () =>
      assert.rejects(registry.schemaById(id), { code: 'registry-unavailable', retriable: true }),
    );
    assert.equal(await registry.schemaById(id), schema);
  });

  test('an id of another connection is known, and stays known when the registry is gone', async () => {
    const schema = '{"type":"record","name":"Kept","fields":[{"name":"a","type":"string"}]}';
    const id = await connectSchemaRegistry(url).register('kept', schema);
    const other = connectSchemaRegistry(`${url}/`);
    assert.equal(await other.schemaById(id), schema);
    await stack.schemaRegistry.stop();
    assert.equal(await other.schemaById(id), schema);
    const unavailable = { name: 'SchemaRegistryError', code: 'registry-unavailable', retriable: true };
    await assert.rejects(other.schemaById(id + 1), unavailable);
    await assert.rejects(other.register('kept', schema), unavailable);
    await assert.rejects(other.compatible('kept', schema), unavailable);
  });
});

test('an answer of 503 is registry-unavailable, and the password of the URL is sent', async () => {
  const authorizations = new Set<string | undefined>();
  const server = createServer((request, response) => {
    authorizations.add(request.headers.authorization);
    response.writeHead(503).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const registry = connectSchemaRegistry(`http://me:se%2Fcret@127.0.0.1:${port}/path`);
  await assert.rejects(registry.schemaById(1), { code: 'registry-unavailable', retriable: true });
  assert.deepEqual([...authorizations], [`Basic ${Buffer.from('me:se/cret').toString('base64')}`]);
  server.close();
});
