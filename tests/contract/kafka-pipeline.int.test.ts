import { DuplicateWindow, partitionOf } from '@logloom/event-log';
import { parseFilter } from '@logloom/filter';
import { openJobQueue } from '@logloom/job-queue';
import { connectLog, type LogConnection } from '@logloom/runtime';
import { memberOffsets, topics, type Correlation, type LogEvent } from '@logloom/schemas';
import { openSearchStore } from '@logloom/search-store';
import { parseSettings } from '../../apps/logloom/src/settings.ts';
import { closedPorts, eventually, freePort, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendBatches } from '../../apps/logloom/src/send/send-batches.ts';
import { startStack } from '../../infra/local/start-stack.ts';
import { jobNames, jobsFolder, retries } from '../../services/indexer/src/jobs/job-names.ts';
import { planRedrive } from '../../services/indexer/src/jobs/redrive.ts';
import type { GoodEvent } from '../../services/ingest/src/testing/fuzz-records.ts';
import { demoLines } from '../pipeline/traffic.ts';
import { missingKcat, produceByKcat } from './kcat-formats.ts';
import { ServiceChild } from './service-child.ts';

const stack = await startStack({ only: ['kafka', 'schema-registry'] });
const skip = stack.missing.kafka ?? stack.missing['schema-registry'] ?? false;
const names = ['ingest', 'correlator', 'indexer', 'fanout'] as const;
const killsEach = 2;
const partitions = 3;

describe('the services on Kafka and a schema registry, as processes of their own', { skip }, () => {
  test('each killed twice while events come over HTTP and logs.raw: every event once, every request whole', async (t) => {
    await using cleanUp = new AsyncDisposableStack();
    cleanUp.use(stack);
    const folder = temporaryFolder('kafka-pipeline').path;
    cleanUp.defer(() => rmSync(folder, { recursive: true }));
    const [ingestPort, livePort] = [await freePort(), await freePort()];
    const env = {
      ...stack.env,
      LOGLOOM_DATA: folder,
      LOG_PARTITIONS: String(partitions),
      INGEST_PORT: String(ingestPort),
      LIVE_PORT: String(livePort),
      ...closedPorts,
      CORRELATION_IDLE_MS: '3000',
      CORRELATION_MAX_MS: '30000',
      CORRELATION_GRACE_MS: '30000',
    };
    const connection = cleanUp.use(await connectLog(parseSettings(env)));
    const services = names.map((name) => new ServiceChild(name, env));
    cleanUp.defer(async () => void (await Promise.all(services.map((service) => service.end('SIGKILL')))));
    await Promise.all(services.map((service) => service.start()));

    const lines = demoLines(900);
    const half = lines.length >> 1;
    const viaHttp = sendBatches(paced(lines.slice(0, half)), {
      url: `http://127.0.0.1:${ingestPort}`,
      onProgress: () => {},
    });
    const viaKafka = produceRaw(connection, lines.slice(half));
    for (let kill = 0; kill < killsEach; kill++) {
      for (const service of services) {
        await sleep(200 + Math.random() * 1_000);
        await service.end('SIGKILL');
        await service.start();
      }
    }
    const sent = await viaHttp;
    await viaKafka;
    assert.deepEqual([sent.accepted, sent.rejected], [half, 0]);

    const stores = { elasticsearchUrl: undefined, folder: join(folder, 'stores'), readOnly: true };
    const search = cleanUp.adopt(await openSearchStore(stores), (store) => store.close());
    const correlated = async (): Promise<number> =>
      [...members(await readAll(connection, topics.correlations)).values()].flat().length;
    await eventually(
      'every event in the log',
      async () => (await distinctEvents(connection)).length === lines.length,
    );
    const events = await distinctEvents(connection);
    const withId = events.filter(({ event }) => event.correlationId !== null);
    await eventually('every request correlated', async () => (await correlated()) === withId.length);
    await eventually('every event indexed', async () => (await search.counts()).events === lines.length);

    const expected = new Map<string, string[]>();
    for (const { event, place } of withId) {
      const id = event.correlationId!;
      assert.equal(place.split('/')[0], String(partitionOf(id, partitions)));
      expected.set(id, [...(expected.get(id) ?? []), place].toSorted());
    }
    assert.deepEqual(members(await readAll(connection, topics.correlations)), expected);
    assert.equal((await search.counts()).events, lines.length);

    await t.test('dead letters are redriven, each once, with ingest killed meanwhile', async () => {
      const refused = demoLines(300)
        .slice(0, 300)
        .map((line) => line.replace('{', '{"redriven":true,'));
      await refuse(connection, refused);
      const queue = await openJobQueue({ folder: jobsFolder(folder) });
      try {
        const redrive = async (): Promise<string> => {
          const plan = await planRedrive(connection, { again: false, text: 'limit' });
          return queue.add(jobNames.redrive, plan, retries);
        };
        const id = await redrive();
        await services[0]!.end('SIGKILL');
        await services[0]!.start();
        const isDone = async (): Promise<boolean> => (await queue.get(id))?.state === 'completed';
        await eventually('the job is done', isDone, 180_000);
        const all = lines.length + refused.length;
        await eventually(
          'every dead letter indexed',
          async () => (await search.counts()).events === all,
          180_000,
        );
        const redriven = (await distinctEvents(connection)).filter(
          ({ event }) => event.source.kind === 'redrive',
        );
        assert.deepEqual(
          redriven.map(({ event }) => event.message).toSorted(),
          refused.map((line) => (JSON.parse(line) as { message: string }).message).toSorted(),
        );
        const records = (await connection.log.endOffsets(topics.raw)).reduce((sum, end) => sum + end, 0);
        const again = await redrive();
        await eventually('the second is done', async () => (await queue.get(again))?.state === 'completed');
        const after = (await connection.log.endOffsets(topics.raw)).reduce((sum, end) => sum + end, 0);
        assert.equal(after, records, 'what was redriven is not put again');
      } finally {
        await queue.close();
      }
    });

    await t.test(
      'kcat, each format of logs.raw, distinguished by header and by content',
      { skip: missingKcat },
      async () => {
        const { events: before } = await search.counts();
        const expected = await produceByKcat({ env, folder }, connection);
        await eventually(
          'every record indexed',
          async () => (await search.counts()).events >= before + expected.length,
        );
        const filter = parseFilter('message:kcat* AND service:shop');
        assert.ok(filter.ok);
        const { events } = await search.search({ filter: filter.filter, limit: 1000, order: 'asc' });
        const found = events.map(({ message, level, service, timestamp, correlationId, traceId }) => {
          assert.equal(traceId, correlationId);
          return { message, level, service, timestamp, correlationId };
        });
        const byMessage = (a: GoodEvent, b: GoodEvent): number => (a.message < b.message ? -1 : 1);
        assert.deepEqual(found.sort(byMessage), expected.sort(byMessage));
        assert.equal((await search.counts()).events, before + expected.length);
      },
    );

    assert.equal((await fetch(`http://127.0.0.1:${livePort}/health/ready`)).status, 200);
    for (const [i, service] of services.entries())
      assert.equal(await service.end('SIGTERM'), 0, `${names[i]} drains`);
    t.diagnostic(`${lines.length} events, ${expected.size} requests`);
  });
});

/** Dead letters as ingest writes them, of lines that are good by now. */
async function refuse({ log, serde }: LogConnection, lines: readonly string[]): Promise<void> {
  const records = lines.map((line, offset) => ({
    partition: offset % partitions,
    key: null,
    value: serde.encode('DeadLetter', {
      code: 'event-too-large',
      message: 'the event is over the limit',
      source: { kind: 'http', topic: 'refused', partition: 0, offset, index: 0 },
      receivedAt: Date.now(),
      payload: Buffer.from(line),
      key: null,
      address: null,
    }),
  }));
  await log.append(topics.deadLetter, records);
}

async function* paced(lines: readonly string[]): AsyncGenerator<string[]> {
  for (let i = 0; i < lines.length; i += 100) {
    yield lines.slice(i, i + 100);
    await sleep(150);
  }
}

async function produceRaw({ log }: LogConnection, lines: readonly string[]): Promise<void> {
  for (let i = 0; i < lines.length; i += 50) {
    const records = lines
      .slice(i, i + 50)
      .map((line, k) => ({ partition: k % partitions, key: null, value: Buffer.from(line) }));
    await log.append(topics.raw, records);
    await sleep(50);
  }
}

interface Placed<T> {
  value: T;
  /** partition/offset */
  place: string;
}

/** All records of a topic, decoded. */
async function readAll<T>({ log, serde }: LogConnection, topic: string): Promise<Placed<T>[]> {
  const found: Placed<T>[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    for (let next = 0; ;) {
      const records = await log.read(topic, partition, next, 5_000);
      if (records.length === 0) break;
      await serde.load(records.map(({ value }) => value));
      for (const { offset, value } of records) {
        const decoded = serde.decode(value);
        if (!['Tick', 'Rules', 'Link', 'Forward'].includes(decoded.name))
          found.push({ value: decoded.value as T, place: `${partition}/${offset}` });
      }
      next = records.at(-1)!.offset + 1;
    }
  }
  return found;
}

/** The events without the duplicates that a reader drops. */
async function distinctEvents(connection: LogConnection): Promise<{ event: LogEvent; place: string }[]> {
  const windows = Array.from({ length: partitions }, () => new DuplicateWindow());
  const events = await readAll<LogEvent>(connection, topics.events);
  return events
    .filter(({ value, place }) => {
      const [partition, offset] = place.split('/').map(Number);
      return windows[partition!]!.admit(value.source, offset!);
    })
    .map(({ value, place }) => ({ event: value, place }));
}

/** By correlation id, the places of the events in its newest documents. */
function members(documents: readonly Placed<Correlation>[]): Map<string, string[]> {
  const newest = new Map(documents.map(({ value }) => [value.id, value]));
  const byId = new Map<string, string[]>();
  for (const document of newest.values()) {
    const places = memberOffsets(document).map((offset) => `${document.partition}/${offset}`);
    byId.set(document.correlationId, [...(byId.get(document.correlationId) ?? []), ...places].toSorted());
  }
  return byId;
}
