import { Client } from '@elastic/elasticsearch';
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startStack } from './start-stack.ts';
import { versions } from './versions.ts';

const stack = await startStack({ only: ['elasticsearch'] });
after(() => stack.stop());
const skip = stack.missing.elasticsearch ?? false;

test(
  'Elasticsearch serves its official client, and has what was indexed after kill -9',
  { skip },
  async () => {
    const client = new Client({ node: stack.env['ELASTICSEARCH_URL']! });
    assert.equal((await client.info()).version.number, versions.elasticsearch);
    // zstd, which best_compression stands for, needs the native library.
    await client.indices.create({
      index: 'local-stack-test',
      settings: { number_of_replicas: 0, codec: 'best_compression' },
    });
    const document = { message: 'the payment timed out' };
    await client.index({ index: 'local-stack-test', id: '1', document, refresh: true });
    const search = { index: 'local-stack-test', query: { match: { message: 'payment' } } };
    assert.deepEqual((await client.search(search)).hits.hits[0]?._source, document);

    await stack.elasticsearch.kill('SIGKILL');
    await stack.elasticsearch.restart();
    assert.deepEqual((await client.search(search)).hits.hits[0]?._source, document);
    await client.close();
  },
);
