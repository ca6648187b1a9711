import { openEmbeddedArchive } from '@logloom/archive';
import { SqliteEventLog } from '@logloom/event-log';
import { parseFilter } from '@logloom/filter';
import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { placeEvent, topics, type PlacedEvent } from '@logloom/schemas';
import { openEmbeddedSearchStore } from '@logloom/search-store';
import { correlationDocument, logEvent, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { VisibleStore } from './visible-store.ts';

const page = { limit: 10, maxBytes: 1e6 };

test('a request of several ids is found, whole, by each of them and by the document that it was before, and by a principal as far as it is visible', async () => {
  using folder = temporaryFolder('joined-documents');
  const search = openEmbeddedSearchStore(folder.path);
  const archive = openEmbeddedArchive(folder.path);
  const log = new SqliteEventLog(join(folder.path, 'log'));
  await log.createTopics(Object.values(topics).map((name) => ({ name, partitions: 2 })));
  const serde = await createSerde(createEmbeddedSchemaRegistry());
  const epoch = await log.epochOf(topics.events);
  try {
    const event = (partition: number, offset: number, correlationId: string, service: string): PlacedEvent =>
      placeEvent(
        logEvent(offset, { correlationId, service, traceId: null, timestamp: 1000 + offset }),
        epoch,
        partition,
        offset,
      );
    const events = [event(0, 1, 't', 'orders'), event(1, 5, 'r', 'gateway'), event(1, 7, 'r', 'gateway')];
    await search.index(events);
    await archive.put(events);
    const times = { firstAt: 1001, lastAt: 1007 };
    const part = correlationDocument(`${epoch}-1-5`, {
      correlationId: 'r',
      partition: 1,
      firstOffset: 5,
      memberDeltas: [0, 2],
      ...times,
    });
    const joined = { ...part, revision: 2, joinedInto: 't' };
    const whole = correlationDocument(`${epoch}-0-1`, {
      correlationId: 't',
      ids: ['r'],
      memberDeltas: [0, 1, 1],
      forwarded: [
        { at: 2, partition: 1, offset: 5 },
        { at: 3, partition: 1, offset: 7 },
      ],
      ...times,
    });
    for (const document of [part, joined, whole]) {
      await search.indexCorrelations([document]);
      await archive.putCorrelations([document]);
    }
    // More ids joined it than it lists.
    const unlisted = [event(1, 9, 'u', 'gateway'), event(1, 11, 'u', 'gateway')];
    await search.index(unlisted);
    await archive.put(unlisted);
    const hidden = { ...part, id: `${epoch}-1-9`, correlationId: 'u', firstOffset: 9, joinedInto: 't' };
    await search.indexCorrelations([hidden]);
    await archive.putCorrelations([hidden]);
    await search.indexCorrelations([whole]);
    const deps = { search, archive, log, serde };
    const all = new VisibleStore(deps, undefined);
    for (const id of ['t', 'r', whole.id, part.id, 'u', hidden.id]) {
      const found = await all.correlation(id, page);
      assert.deepEqual(
        [found?.document.id, found?.events.map(({ offset }) => offset)],
        [whole.id, [1, 5, 7]],
        id,
      );
    }
    const imposed = parseFilter('service:gateway');
    assert.ok(imposed.ok);
    for (const id of ['r', part.id]) {
      const found = await new VisibleStore(deps, imposed.filter).correlation(id, page);
      assert.deepEqual(
        [
          found?.document.services,
          found?.document.memberDeltas.length,
          found?.events.map(({ offset }) => offset),
        ],
        [['gateway'], 2, [5, 7]],
        id,
      );
    }
    const { correlations } = await new VisibleStore(deps, imposed.filter).correlations({ limit: 10 });
    assert.deepEqual(
      correlations.map(({ correlationId, services }) => [correlationId, services]),
      // The id of the trace is in no event that it may see.
      [['r', ['gateway']]],
    );
  } finally {
    await Promise.all([search.close(), archive.close(), log.close()]);
  }
});
