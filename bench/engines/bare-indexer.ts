import { Client } from '@elastic/elasticsearch';
import { topics, type PlacedEvent } from '@logloom/schemas';
import kafkajs from 'kafkajs';
import { MongoClient } from 'mongodb';
import { randomUUID } from 'node:crypto';
import { documentOf } from '../../libs/archive/src/mongodb/document.ts';
import { sliceOf } from '../../libs/archive/src/mongodb/slices.ts';
import { MongoStore } from '../../libs/archive/src/mongodb/store.ts';
import { registerCodecs } from '../../libs/event-log/src/kafka/codecs/codecs.ts';
import { documentId, eventJson } from '../../libs/search-store/src/elasticsearch/documents.ts';
import { eventIndex } from '../../libs/search-store/src/elasticsearch/indices.ts';
import { recordedEvents } from './recorded-events.ts';
import type { Task } from './task.ts';

/** A batch of kafkajs's is up to a mebibyte, and engines that share two cores may take long over it. */
const sessionTimeout = 300_000;
const names = { events: 'logs', correlations: 'correlations' };
const mongoUrl = (task: Task): string => task.env['MONGODB_URL']!;

type Prepared = ReturnType<typeof prepared>;

function prepared(event: PlacedEvent) {
  return {
    action: { create: { _index: eventIndex(names, event), _id: documentId(event.id) } },
    json: eventJson(event),
    archived: documentOf(event),
    slice: sliceOf(event),
  };
}

/**
 * The three clients alone: kafkajs reads logs.events, and what it read goes out as documents that were made before: by Elasticsearch's
 * bulk helper, and by insertMany() into a collection with the archive's indexes. Then it is committed.
 */
export async function prepareBareIndexer(task: Task): Promise<() => Promise<void>> {
  const documents = (await recordedEvents(task)).map(({ events }) => events.map(prepared));
  registerCodecs();
  const elasticsearch = new Client({ node: task.env['ELASTICSEARCH_URL']! });
  const mongo = new MongoClient(mongoUrl(task), { writeConcern: { w: 'majority', journal: true } });
  const archive = new MongoStore(mongoUrl(task), { serverSelectionTimeoutMS: 10_000 });
  await archive.open(false);
  const slices = new Set(documents.flat().map(({ slice }) => slice));
  for (const slice of slices) await archive.prepareSlice(slice);
  await archive.close();
  const kafka = new kafkajs.Kafka({
    brokers: task.env['KAFKA_BROKERS']!.split(','),
    logLevel: kafkajs.logLevel.NOTHING,
  });
  return async () => {
    const done = Promise.withResolvers<void>();
    const consumer = kafka.consumer({ groupId: randomUUID(), sessionTimeout });
    await Promise.all([consumer.connect(), mongo.connect()]);
    const database = mongo.db('logloom');
    await consumer.subscribe({ topic: topics.events, fromBeginning: true });
    let stored = 0;
    const store = async (partition: number, part: Prepared[]): Promise<void> => {
      const bySlice = Map.groupBy(part, ({ slice }) => slice);
      await Promise.all([
        elasticsearch.helpers.bulk({
          datasource: part,
          onDocument: ({ action, json }) => [action, json] as never,
          onDrop: ({ error }) => done.reject(new Error(`a document was not taken: ${JSON.stringify(error)}`)),
        }),
        ...Array.from(bySlice, ([slice, members]) =>
          database.collection<{ _id: string }>(slice).insertMany(
            members.map(({ archived }) => archived),
            { ordered: false },
          ),
        ),
      ]);
      const offset = String(part.at(-1)!.archived.offset + 1);
      await consumer.commitOffsets([{ topic: topics.events, partition, offset }]);
      if ((stored += part.length) === task.events) done.resolve();
    };
    await consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: documents.length,
      eachBatch: async ({ batch: { partition, messages } }) => {
        const first = Number(messages[0]!.offset) - task.from[partition]!;
        // kafkajs would give the batch again, forever.
        await store(partition, documents[partition]!.slice(first, first + messages.length)).catch(
          done.reject,
        );
      },
    });
    await done.promise;
    await Promise.all([consumer.disconnect(), mongo.close(), elasticsearch.close()]);
  };
}
