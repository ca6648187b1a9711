import { SqliteEventLog } from '@logloom/event-log';
import { topics } from '@logloom/schemas';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { Pipeline } from './pipeline.ts';

interface Document {
  id: string;
  partition: number;
  members: number[];
}

const producers = 40;
const lines = (name: string, count: number): string =>
  Array.from({ length: count }, (_, n) =>
    JSON.stringify({ message: `${name}-${n}`, correlationId: `c-${n % 97}`, service: 'shop' }),
  ).join('\n');

test('overtaking appends, duplicates from another instance, kill -9 and a rebuild: each event once in documents, search and live', async () => {
  await using pipeline = await Pipeline.create({
    INGEST_SERVICE_EVENTS_PER_SECOND: '1000000',
    CORRELATION_IDLE_MS: '2000',
    CORRELATION_GRACE_MS: '500',
  });
  await pipeline.start();
  let sent = 0;
  const take = async (body: string, numbers?: { producer: string; sequence: number }): Promise<number> => {
    const headers = {
      ...(numbers && { 'logloom-producer': numbers.producer, 'logloom-sequence': String(numbers.sequence) }),
    };
    const answer = await pipeline.ingest(body, headers);
    assert.equal(answer.status, 200);
    const { accepted, duplicates = 0 } = (await answer.json()) as { accepted: number; duplicates?: number };
    sent += accepted;
    return duplicates;
  };
  const piece = (n: number): Promise<number> =>
    take(lines(`piece${n}`, 500), { producer: 'pieces', sequence: 500 * n });
  const numbered = (n: number): Promise<number> =>
    take(lines(`p${n}`, 5), { producer: `p${n}`, sequence: 0 });
  const all = Array.from({ length: producers }, (_, n) => n);
  const bulk = async (): Promise<void> => {
    const items = lines('bulk', 2000).replaceAll(/^/gm, '{"index":{}}\n');
    const answer = await fetch(`${pipeline.ingestUrl}/_bulk`, { method: 'POST', body: `${items}\n` });
    const { items: answers } = (await answer.json()) as { items: { index: { status: number } }[] };
    sent += answers.filter(({ index }) => index.status === 201).length;
  };
  const small = async (): Promise<void> => {
    for (let n = 0; n < 60; n++) await take(lines(`small${n}`, 1));
  };
  await Promise.all([
    bulk(),
    take(lines('large', 3000)),
    small(),
    ...[3, 1, 0, 2].map(piece),
    ...all.map(numbered),
  ]);
  assert.equal(sent, 2000 + 3000 + 60 + 2000 + 5 * producers);

  await pipeline.end('SIGKILL');
  await repeatInLog(pipeline.dataFolder);
  await pipeline.start();
  assert.deepEqual(await Promise.all([0, 1, 2, 3].map(piece)), [500, 500, 500, 500]);
  assert.deepEqual(new Set(await Promise.all(all.map(numbered))), new Set([5]));
  assert.equal(sent, 7060 + 5 * producers);
  await pipeline.untilDone();

  const found = await pipeline.get<{ total: unknown }>('/api/search?limit=1');
  assert.deepEqual(found.total, { value: sent, exact: true });
  const documents = await pipeline.documents<Document>();
  const members = documents.flatMap(({ partition, members }) => members.map((m) => `${partition}/${m}`));
  assert.equal(members.length, sent);
  assert.equal(new Set(members).size, sent);
  const live = await watchAll(pipeline, sent);
  assert.equal(new Set(live).size, sent);

  await pipeline.rebuild({ events: sent + 1, correlations: documents.length });
  assert.equal(JSON.stringify(await pipeline.documents<Document>()), JSON.stringify(documents));
});

/** Appends a third of what is in the log again, backwards: what another instance of ingest would make of retries. */
async function repeatInLog(dataFolder: string): Promise<void> {
  const folder = join(dataFolder, 'log');
  const owned = SqliteEventLog.own(folder, ({ message }) => assert.fail(message));
  const log = new SqliteEventLog(folder);
  try {
    for (const partition of (await log.endOffsets(topics.events)).keys()) {
      const records = await log.read(topics.events, partition, 0, 100_000);
      await log.append(
        topics.events,
        records
          .filter(({ key, offset }) => key !== null && offset % 3 === 0)
          .toReversed()
          .map(({ key, value }) => ({ partition, key, value })),
      );
    }
  } finally {
    await log.close();
    await owned[Symbol.asyncDispose]();
  }
}

/** The ids of what a viewer gets from the start of the log on, until it has so many and for a moment longer. */
async function watchAll(pipeline: Pipeline, count: number): Promise<string[]> {
  const { epoch } = await pipeline.get<{ epoch: string }>('/api/status');
  const ids: string[] = [];
  const ws = new WebSocket(`${pipeline.viewersUrl.replace('http', 'ws')}/live`, ['logloom.v1']);
  ws.on('message', (data: Buffer) => {
    const { events = [] } = JSON.parse(data.toString()) as { events?: { id: string }[] };
    ids.push(...events.map(({ id }) => id));
  });
  ws.on('open', () => {
    const from = { cursor: `v1.e.${epoch}.0-0-0-0` };
    ws.send(JSON.stringify({ type: 'subscribe', id: 'a', filter: '', from }));
  });
  await eventually('everything seen', async () => ids.length >= count);
  // What comes now comes behind everything else that there was.
  await pipeline.ingest('{"message":"the end"}');
  await eventually('the end seen', async () => ids.length > count);
  ws.close();
  assert.equal(ids.length, count + 1);
  return ids.slice(0, count);
}
