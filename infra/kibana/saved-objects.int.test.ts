import { Client } from '@elastic/elasticsearch';
import { parseMicros } from '@logloom/schemas';
import { openSearchStore } from '@logloom/search-store';
import { correlationDocument, eventually, placedEvent, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startStack } from '../local/start-stack.ts';
import { fieldsIn, readSavedObjects, type SavedObject } from './read-saved-objects.ts';

test('the indices of Elasticsearch have every field that the saved objects name, of a type that can be used so', async (t) => {
  await using stack = await startStack({ only: ['elasticsearch'] });
  if (stack.missing.elasticsearch !== undefined) return t.skip(stack.missing.elasticsearch);
  const elasticsearchUrl = stack.env['ELASTICSEARCH_URL']!;
  using folder = temporaryFolder('kibana');
  const store = await openSearchStore({ elasticsearchUrl, folder: folder.path });
  const timestamp = parseMicros('2026-05-01T00:00:00Z');
  await store.index([placedEvent(0, { timestamp, receivedAt: timestamp / 1000 })]);
  await store.indexCorrelations([correlationDocument('1')]);
  const client = new Client({ node: elasticsearchUrl });
  const objects = readSavedObjects();
  const viewOf = ({ type, id, references }: SavedObject): string | undefined =>
    type === 'index-pattern' ? id : references.find((one) => one.type === 'index-pattern')?.id;
  let named = 0;
  for (const view of objects.filter(({ type }) => type === 'index-pattern')) {
    const index = view.attributes['title'] as string;
    await eventually('a document', async () => (await client.count({ index })).count > 0);
    for (const object of objects.filter((one) => viewOf(one) === view.id))
      for (const field of fieldsIn(object)) {
        named++;
        const { fields } = await client.fieldCaps({ index, fields: field });
        const types = Object.entries(fields[field] ?? {});
        assert.equal(types.length, 1, `${object.id}: ${field} in ${index}`);
        const [type, capabilities] = types[0]!;
        assert.ok(capabilities.searchable, `${object.id}: ${field} can be searched`);
        if (object.type === 'visualization')
          assert.ok(capabilities.aggregatable, `${object.id}: ${field} can be aggregated`);
        if (field === view.attributes['timeFieldName']) assert.equal(type, 'date_nanos');
      }
  }
  assert.ok(named > 20);
  await client.close();
  await store.close();
});
