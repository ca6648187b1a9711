import { openEmbeddedArchive } from '@logloom/archive';
import type { NewRecord } from '@logloom/event-log';
import { parseFilter } from '@logloom/filter';
import { connectLog, type LogConnection } from '@logloom/runtime';
import '@logloom/runtime/testing/hold-contract';
import { correlationDefaults, placeId, topics, type Correlation, type LogEvent } from '@logloom/schemas';
import { openEmbeddedSearchStore } from '@logloom/search-store';
import { parseSettings } from './settings.ts';
import { eventually, temporaryFolder } from '@logloom/testing';
import fastify from 'fastify';
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectApi } from './api/connect-api.ts';
import { storesFolder } from './run-indexer.ts';

const partitions = 4;
const eventsPerPartition = 5000;
const documentsPerPartition = 200;
const kills = 8;

test('killed again and again, it stores each event and document once, and a rebuild gives the same', async () => {
  const folder = temporaryFolder('indexer').path;
  const env = { LOGLOOM_DATA: folder, LOG_PARTITIONS: String(partitions) };
  let child: ChildProcess | undefined;
  try {
    await using connection = await connectLog(parseSettings(env));
    const expected = await fillLog(connection);
    for (let kill = 0; kill < kills; kill++) {
      child = await start(env);
      await sleep(Math.random() * 250);
      await end(child, 'SIGKILL');
    }
    child = await start(env);
    await untilCommitted(connection);
    await end(child, 'SIGTERM');
    const first = await contents(folder);
    assert.deepEqual(first.found, expected.eventIds);
    assert.deepEqual(first.archived, expected.eventIds);
    assert.deepEqual(first.documents, expected.documents);
    await deadLettersHold(connection, 'not a record');

    rmSync(storesFolder(folder), { recursive: true });
    child = await start(env);
    await untilStored(folder, expected.eventIds.length, expected.documents.length);
    await untilCommitted(connection);
    await end(child, 'SIGTERM');
    assert.deepEqual(await contents(folder), first);
    await apiTellsNoLag(env, expected.eventIds.length);
  } finally {
    if (child?.exitCode === null && child.signalCode === null) await end(child, 'SIGKILL');
    rmSync(folder, { recursive: true });
  }
});

/** Events with duplicates, ticks, one record that is none of ours; documents with revisions and with duplicates from behind. */
async function fillLog({ log, serde }: LogConnection) {
  const epoch = await log.epochOf(topics.events);
  const eventIds: string[] = [];
  const documents: string[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const records: NewRecord[] = [];
    const append = (value: Buffer): void => void records.push({ partition, key: null, value });
    for (let i = 0; i < eventsPerPartition; i++) {
      const event = logEvent(partition, i);
      eventIds.push(placeId(epoch, partition, records.length));
      append(serde.encode('LogEvent', event));
      if (i % 50 === 0) append(serde.encode('LogEvent', event));
      if (i % 1000 === 0) append(serde.encode('Tick', { dueAt: i }));
      if (i === 2500) append(Buffer.from('not a record'));
    }
    await log.append(topics.events, records);
    records.length = 0;
    for (let i = 0; i < documentsPerPartition; i++) {
      const document = correlation(partition, i, i % 3 === 0 ? 2 : 1);
      if (document.revision === 2) append(serde.encode('Correlation', { ...document, revision: 1 }));
      append(serde.encode('Correlation', { ...document, closeSequence: 1 }));
      // Behind in its position: an instance that did not know that it was replaced.
      append(serde.encode('Correlation', { ...document, revision: 9 }));
      documents.push(`${placeId(epoch, partition, i)}/${document.revision}`);
    }
    await log.append(topics.correlations, records);
  }
  return { eventIds: eventIds.sort(), documents: documents.sort() };
}

function logEvent(partition: number, i: number): LogEvent {
  return {
    source: { kind: 'http', topic: `p${partition}`, partition: 0, offset: i, index: 0 },
    timestamp: 1_700_000_000_000_000 + i * 1000,
    receivedAt: 1_700_000_000_000,
    level: 'info',
    service: 'shop',
    host: null,
    message: `message ${i} of ${partition}`,
    correlationId: `c-${partition}-${i % 97}`,
    correlationKind: 'correlationId',
    traceId: null,
    spanId: null,
    attributes: '{}',
  };
}

function correlation(partition: number, i: number, revision: number): Correlation {
  return {
    id: `${partition}-${i}`,
    correlationId: `c-${partition}-${i}`,
    kind: 'correlationId',
    revision,
    closeReason: 'idle',
    firstAt: i,
    lastAt: i,
    services: ['shop'],
    levels: { info: 1 },
    rules: [],
    severity: null,
    partition,
    firstOffset: i,
    closeOffset: i,
    closeSequence: 0,
    firstClosedAt: 0,
    memberDeltas: [0],
    ...correlationDefaults,
  };
}

/** What the stores hold, sorted: every event by its id from each store, every document with its revision. */
async function contents(folder: string) {
  const search = openEmbeddedSearchStore(storesFolder(folder), { readOnly: true });
  const archive = openEmbeddedArchive(storesFolder(folder), { readOnly: true });
  const everything = parseFilter('');
  assert.ok(everything.ok);
  const found: string[] = [];
  const archived: string[] = [];
  const documents: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await search.search({ filter: everything.filter, limit: 1000, order: 'asc', cursor });
    found.push(...page.events.map((e) => e.id));
    cursor = page.next;
  } while (cursor !== undefined);
  do {
    const page = await search.correlations({ limit: 1000, cursor });
    documents.push(...page.correlations.map((c) => `${c.id}/${c.revision}`));
    cursor = page.next;
  } while (cursor !== undefined);
  const all = { fromMicros: 0, toMicros: Number.MAX_SAFE_INTEGER };
  for await (const event of archive.scan(all, new AbortController().signal)) archived.push(event.id);
  await Promise.all([search.close(), archive.close()]);
  return { found: found.sort(), archived: archived.sort(), documents: documents.sort() };
}

async function apiTellsNoLag(env: Record<string, string>, events: number): Promise<void> {
  const app = fastify();
  await connectApi(app, parseSettings(env), (error) => assert.fail(String(error)));
  const response = await app.inject('/api/status');
  const { consumers, counts } = response.json<{
    consumers: { group: string; lag: number }[];
    counts: Record<string, number>;
  }>();
  const lags = consumers.filter(({ group }) => group === 'indexer').map(({ lag }) => lag);
  assert.deepEqual(
    lags,
    Array.from({ length: 2 * partitions }, () => 0),
  );
  assert.deepEqual([counts['events'], counts['archived']], [events, events]);
  await app.close();
}

async function deadLettersHold({ log, serde }: LogConnection, text: string): Promise<void> {
  for (let partition = 0; partition < partitions; partition++) {
    const records = await log.read(topics.deadLetter, partition, 0, 100);
    assert.ok(records.length > 0);
    await serde.load(records.map((record) => record.value));
    for (const { value } of records) {
      const deadLetter = serde.decode(value);
      assert.ok(deadLetter.name === 'DeadLetter');
      assert.equal(deadLetter.value.payload.toString(), text);
      assert.deepEqual(
        [deadLetter.value.code, deadLetter.value.source.partition],
        ['undecodable-record', partition],
      );
    }
  }
}

async function untilCommitted({ log }: LogConnection): Promise<void> {
  await eventually('the indexer has committed everything', async () => {
    for (const topic of [topics.events, topics.correlations]) {
      const [commits, ends] = await Promise.all([log.committed('indexer', topic), log.endOffsets(topic)]);
      if (ends.some((end, partition) => commits[partition]?.offset !== end)) return false;
    }
    return true;
  });
}

async function untilStored(folder: string, events: number, correlations: number): Promise<void> {
  const search = openEmbeddedSearchStore(storesFolder(folder), { readOnly: true });
  await eventually('the search holds what it should', async () => {
    const counts = await search.counts();
    return counts.events === events && counts.correlations === correlations;
  });
  await search.close();
}

async function start(env: Record<string, string>): Promise<ChildProcess> {
  const path = join(import.meta.dirname, 'testing/indexer.child.ts');
  const child = spawn(process.execPath, [path, JSON.stringify(env)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [reason] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown];
  if (!Buffer.isBuffer(reason))
    throw new Error(`the indexer ended with ${String(reason)} before it was ready`);
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = once(child, 'exit');
  child.kill(signal);
  const [code] = (await ended) as [number | null];
  if (signal === 'SIGTERM') assert.equal(code, 0);
}
