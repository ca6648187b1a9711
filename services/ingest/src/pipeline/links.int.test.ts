import { partitionOf } from '@logloom/event-log';
import { loadtestHeader } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEvents, readLinks, startForTest, temporaryFolder } from '../testing/ingest-harness.ts';

const partitions = 4;

async function linksOf(
  events: readonly object[],
  env: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<{ links: string[]; events: number }> {
  using folder = temporaryFolder('links');
  {
    await using service = await startForTest(folder.path, env);
    for (const event of events) {
      const answer = await fetch(`${service.address}/ingest`, {
        method: 'POST',
        body: JSON.stringify(event),
        headers: { 'content-type': 'application/json', ...headers },
      });
      assert.equal(answer.status, 200, await answer.text());
    }
  }
  const links = await readLinks(folder.path);
  for (const { id, at } of links) assert.equal(at.partition, partitionOf(id, partitions));
  return {
    links: links
      .map(
        ({ id, into, kind, rank, cause }) =>
          `${id} ${into} ${kind} ${rank}${cause === null ? '' : ' caused'}`,
      )
      .sort(),
    events: (await readEvents(folder.path)).length,
  };
}

test('an event with several ids has a link of each to the first, in the partition of its own, once a second at most', async () => {
  const event = { correlationId: 'c', traceId: 't', requestId: 'r', sessionId: 's', message: 'm' };
  const result = await linksOf([event, event, { traceId: 't', requestId: 'r' }, { traceId: 'alone' }]);
  assert.deepEqual(result, {
    events: 4,
    links: ['r c correlationId 0', 'r t traceId 1', 't c correlationId 0'],
  });
});

test('placeholders, sessions and ids of load tests join nothing', async () => {
  const placeholders = ['-', 'null', '0', '00000000-0000-0000-0000-000000000000', 'N/A'];
  const events = placeholders.map((requestId) => ({ traceId: 't', requestId, sessionId: 's' }));
  assert.deepEqual((await linksOf(events)).links, []);
  assert.deepEqual(
    (await linksOf([{ traceId: 't', requestId: 'r' }], {}, { [loadtestHeader]: 'true' })).links,
    [],
  );
});

test('which ids join, and in which order, is a setting', async () => {
  const event = { traceId: 't', requestId: 'r', sessionId: 's' };
  const order = 'sessionId,requestId,traceId';
  const some = { CORRELATION_ID_ORDER: order, CORRELATION_JOINS: 'sessionId,requestId' };
  assert.deepEqual((await linksOf([event], some)).links, ['r s sessionId 0']);
  assert.deepEqual((await linksOf([event], { CORRELATION_JOINS: 'none' })).links, []);
});

test('a numbered event that is sent again has its links again: they may be what failed', async () => {
  using folder = temporaryFolder('links');
  const answers: { duplicates?: number }[] = [];
  // A new process does not know which links are in the log.
  for (let start = 0; start < 2; start++) {
    await using service = await startForTest(folder.path);
    const answer = await fetch(`${service.address}/ingest`, {
      method: 'POST',
      body: JSON.stringify({ traceId: 't', requestId: 'r' }),
      headers: { 'content-type': 'application/json', 'logloom-producer': 'p', 'logloom-sequence': '0' },
    });
    answers.push((await answer.json()) as { duplicates?: number });
  }
  assert.equal(answers[1]!.duplicates, 1);
  assert.equal((await readEvents(folder.path)).length, 1);
  assert.equal((await readLinks(folder.path)).length, 2);
});
