import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendBatches } from '../../apps/logloom/src/send/send-batches.ts';
import { joinedRequests, pacedLines, placeholders } from './joined-requests.ts';
import { Pipeline } from './pipeline.ts';

const isFull = process.env['LOGLOOM_FULL'] === '1';
const kills = isFull ? 50 : 3;
const seed = 12;

interface Document {
  id: string;
  correlationId: string;
  revision: number;
  ids: string[];
  eventCount: number;
  partition: number;
  members: number[];
  membersElsewhere?: { partition: number; members: number[] }[];
}

interface Found {
  partition: number;
  offset: number;
  message: string;
}

test('requests with several ids, killed again and again: each is one document with exactly its events; and the same after a rebuild', async (t) => {
  const traffic = joinedRequests(seed, isFull ? 3000 : 300, isFull ? 120_000 : 8000);
  const { events } = traffic;
  t.diagnostic(`${events.length} events of ${traffic.requests.length} requests`);
  // The sessions, whose ids join nothing, go on from the first event to the last.
  await using pipeline = await Pipeline.create({
    CORRELATION_IDLE_MS: '6000',
    CORRELATION_MAX_MS: '600000',
    CORRELATION_GRACE_MS: '600000',
  });
  await pipeline.start();
  let sending = true;
  const sent = sendBatches(pacedLines(events), { url: pipeline.ingestUrl, onProgress: () => {} }).finally(
    () => (sending = false),
  );
  let killed = 0;
  while (sending && killed < kills) {
    await sleep(300 + Math.random() * 1500);
    await pipeline.end('SIGKILL');
    killed++;
    await pipeline.start();
  }
  const result = await sent;
  t.diagnostic(`${killed} kills`);
  assert.deepEqual([result.accepted, result.rejected], [events.length, 0]);
  await pipeline.untilDone();

  const documents = await pipeline.documents<Document>();
  await t.test('each request is one document with exactly its events', async () => {
    const byPlace = new Map<string, number>();
    for (const { partition, offset, message } of await allEvents(pipeline))
      byPlace.set(`${partition}/${offset}`, Number(message.split(' ')[1]));
    assert.equal(byPlace.size, events.length);
    const found = documents.map((document) => {
      const members = placesOf(document).map((place) => byPlace.get(place) ?? assert.fail(place));
      assert.equal(members.length, document.eventCount);
      return text(members);
    });
    assert.deepEqual(found.toSorted(), traffic.requests.map(text).toSorted());
    assert.ok(
      documents.some(({ membersElsewhere }) => membersElsewhere !== undefined),
      'some have members in several partitions',
    );
  });

  await t.test('a request is found by any of its ids, whole', async () => {
    assert.ok(documents.every(({ ids }) => !ids.some((id) => placeholders.includes(id))));
    const joined = documents.filter(({ ids }) => ids.filter((id) => !id.startsWith('session')).length > 2);
    assert.ok(joined.length > 10);
    for (const { id: documentId, ids, eventCount } of joined.slice(0, 10))
      for (const id of ids.filter((each) => !each.startsWith('session'))) {
        const request = await pipeline.get<{ id: string; events: Found[] }>(
          `/api/correlations/${encodeURIComponent(id)}?limit=1000`,
        );
        assert.deepEqual([request.id, request.events.length], [documentId, eventCount], id);
      }
  });

  await t.test('the events of a request come in pages, in the order of time, each once', async () => {
    const { id, eventCount } = documents
      .filter(({ membersElsewhere }) => membersElsewhere !== undefined)
      .reduce((a, b) => (b.eventCount > a.eventCount ? b : a));
    const found: (Found & { timestamp: string })[] = [];
    let cursor = '';
    do {
      const page: { events: typeof found; next?: string } = await pipeline.get(
        `/api/correlations/${id}?limit=7${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      found.push(...page.events);
      cursor = page.next ?? '';
    } while (cursor !== '');
    assert.equal(new Set(found.map(({ message }) => message)).size, eventCount);
    const times = found.map(({ timestamp }) => timestamp);
    assert.deepEqual(times, times.toSorted());
  });

  await t.test('nothing is missing in a view, nor reported as missing', async () => {
    assert.deepEqual(await pipeline.verify(), { complete: true, missing: 0 });
  });

  await t.test('with every view deleted, the log alone gives the same bytes again', async () => {
    await pipeline.rebuild({ events: events.length, correlations: documents.length });
    assert.equal(JSON.stringify(await pipeline.documents<Document>()), JSON.stringify(documents));
  });
});

function placesOf({ partition, members, membersElsewhere = [] }: Document): string[] {
  return [{ partition, members }, ...membersElsewhere].flatMap((part) =>
    part.members.map((offset) => `${part.partition}/${offset}`),
  );
}

function text(members: readonly number[]): string {
  return members.toSorted((a, b) => a - b).join(' ');
}

async function allEvents(pipeline: Pipeline): Promise<Found[]> {
  const found: Found[] = [];
  let cursor: string | undefined;
  do {
    const page: { events: Found[]; next?: string } = await pipeline.get(
      `/api/search?limit=1000${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    found.push(...page.events);
    cursor = page.next;
  } while (cursor !== undefined);
  return found;
}
