import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendBatches } from '../../apps/logloom/src/send/send-batches.ts';
import { Pipeline } from './pipeline.ts';
import { loadTraffic } from './traffic.ts';

interface Line {
  timestamp: string;
  service: string;
  level: string;
  message: string;
  traceId: string;
}

interface Document {
  id: string;
  correlationId: string;
  revision: number;
  partition: number;
  eventCount: number;
  members: number[];
}

const isFull = process.env['LOGLOOM_FULL'] === '1';
const kills = isFull ? 10 : 5;
/** So many lines, unless LOGLOOM_FULL=1. */
const someLines = 12_000;

test('killed again and again while logs come in: all accepted, each found once, each request whole; and the same after a rebuild', async (t) => {
  const traffic = loadTraffic();
  const texts = isFull ? traffic.lines : traffic.lines.slice(0, someLines);
  t.diagnostic(`${traffic.name}: ${texts.length} of ${traffic.lines.length} lines`);
  const lines = texts.map((line) => JSON.parse(line) as Line);
  // Short times, so that the test need not wait; long enough that a restart does not split a request in two.
  await using pipeline = await Pipeline.create({
    CORRELATION_IDLE_MS: '15000',
    CORRELATION_MAX_MS: '120000',
    CORRELATION_GRACE_MS: '20000',
  });
  await pipeline.start();

  let sending = true;
  const sent = sendBatches(paced(texts), { url: pipeline.ingestUrl, onProgress: () => {} }).finally(
    () => (sending = false),
  );
  let killed = 0;
  while (sending && killed < kills) {
    await sleep(200 + Math.random() * 1500);
    await pipeline.end('SIGKILL');
    killed++;
    await pipeline.start();
  }
  const result = await sent;
  assert.equal(killed, kills, 'the sending outlasted the kills');
  assert.deepEqual([result.accepted, result.rejected], [lines.length, 0]);
  await pipeline.untilDone();

  await t.test('every filter finds what a direct count finds', async () => {
    const counts: [string, (line: Line) => boolean][] = [
      ['', () => true],
      ['level:error', (l) => l.level === 'error'],
      ['level:>=warn', (l) => ['warn', 'error', 'fatal'].includes(l.level)],
      ['NOT level:info', (l) => l.level !== 'info'],
      [
        'level:(warn OR error) AND NOT service:ts-order-service',
        (l) => ['warn', 'error'].includes(l.level) && l.service !== 'ts-order-service',
      ],
      ['service:ts-*-service', (l) => /^ts-.*-service$/.test(l.service)],
      ['service:*order*', (l) => l.service.includes('order')],
      ['message:exception', (l) => words(l.message).includes('exception')],
      ['message:"time out"', (l) => phrase(l.message, ['time', 'out'])],
      ['message:fail*', (l) => words(l.message).some((word) => word.startsWith('fail'))],
      ['message:*rder*', (l) => words(l.message).some((word) => word.includes('rder'))],
      [`traceId:${lines[0]!.traceId}`, (l) => l.traceId === lines[0]!.traceId],
      [
        `correlationId:${lines[500]!.traceId} AND level:info`,
        (l) => l.traceId === lines[500]!.traceId && l.level === 'info',
      ],
      [
        `timestamp:<"${lines[1000]!.timestamp.slice(0, 23)}Z"`,
        (l) => l.timestamp.slice(0, 23) < lines[1000]!.timestamp.slice(0, 23),
      ],
    ];
    for (const [filter, matches] of counts) {
      const found = await pipeline.get<{ total: { value: number; exact: boolean } }>(
        `/api/search?limit=1&q=${encodeURIComponent(filter)}`,
      );
      assert.deepEqual(found.total, { value: lines.filter(matches).length, exact: true }, filter);
    }
  });

  const documents = await pipeline.documents<Document>();
  await t.test('each request is there with exactly its events', async () => {
    const expected = new Map<string, number>();
    for (const { traceId } of lines) expected.set(traceId, (expected.get(traceId) ?? 0) + 1);
    const found = new Map<string, number>();
    for (const d of documents) found.set(d.correlationId, (found.get(d.correlationId) ?? 0) + d.eventCount);
    assert.deepEqual(sorted(found), sorted(expected));
    const members = documents.flatMap((d) => d.members.map((offset) => `${d.partition}/${offset}`));
    assert.equal(new Set(members).size, members.length, 'no event in two documents');
    const sample = documents[Math.floor(documents.length / 2)]!;
    const { events } = await pipeline.get<{ events: (Line & { correlationId: string })[] }>(
      `/api/correlations/${sample.id}`,
    );
    assert.equal(events.length, sample.eventCount);
    assert.ok(events.every((event) => event.correlationId === sample.correlationId));
    assert.deepEqual(
      events.map((event) => event.timestamp),
      events.map((event) => event.timestamp).toSorted(),
    );
  });

  await t.test('with every view deleted, the log alone gives the same bytes again', async () => {
    await pipeline.rebuild({ events: lines.length, correlations: documents.length });
    assert.equal(JSON.stringify(await pipeline.documents<Document>()), JSON.stringify(documents));
  });
});

/** Batches over some ten seconds, so that the kills strike while events come. */
async function* paced(lines: readonly string[]): AsyncGenerator<string[]> {
  const size = Math.ceil(lines.length / 100);
  for (let i = 0; i < lines.length; i += size) {
    yield lines.slice(i, i + size);
    await sleep(100);
  }
}

function words(message: string): string[] {
  return message.toLowerCase().split(/[^\p{L}\p{N}_]+/u);
}

function phrase(message: string, wanted: readonly string[]): boolean {
  const all = words(message);
  return all.some((_, i) => wanted.every((word, j) => all[i + j] === word));
}

function sorted(map: ReadonlyMap<string, number>): [string, number][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
