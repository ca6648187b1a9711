import { connectLog } from '@logloom/runtime';
import { topics, type Correlation } from '@logloom/schemas';
import { recordedLines, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendBatches } from '../../apps/logloom/src/send/send-batches.ts';
import { sendFiles } from '../../apps/logloom/src/send/send-files.ts';
import { parseSettings } from '../../apps/logloom/src/settings.ts';
import { Pipeline } from './pipeline.ts';

const isFull = process.env['LOGLOOM_FULL'] === '1';
/** So many lines of the recording, unless LOGLOOM_FULL=1. */
const someLines = 2000;

test('files of a day sent one after another, with a kill in the middle: each request is one document, and so are live ones beside them', async (t) => {
  const { lines, files, expected } = splitByService(recordedLines(isFull ? Infinity : someLines));
  t.diagnostic(`${lines} lines of ${expected.size} requests in ${files.length} files`);
  const whole = await sendDay(t, { files, expected, isBackfill: true, kills: 1 });
  assert.ok(whole / expected.size >= 0.999, `${whole} of ${expected.size} requests are whole`);
});

test(
  'the same files, not said to be a backfill, tear requests apart: what the mark is for',
  { skip: !isFull && 'a comparison: LOGLOOM_FULL=1' },
  async (t) => {
    const { files, expected } = splitByService(recordedLines());
    const whole = await sendDay(t, { files, expected, isBackfill: false, kills: 0 });
    assert.ok(whole / expected.size < 0.9, `${whole} of ${expected.size} requests are whole`);
  },
);

interface Day {
  /** Each service's lines. */
  files: string[][];
  /** The number of events of each request. */
  expected: Map<string, number>;
}

/** Sends the files one after another, and live requests meanwhile. Returns how many requests of the files are one whole document. */
async function sendDay(
  t: { diagnostic: (line: string) => void },
  { files, expected, isBackfill, kills }: Day & { isBackfill: boolean; kills: number },
): Promise<number> {
  using folder = temporaryFolder('backfill');
  await using pipeline = await Pipeline.create({
    CORRELATION_IDLE_MS: '1000',
    CORRELATION_GRACE_MS: '1000',
    CORRELATION_BACKFILL_IDLE_MS: '3000',
  });
  await pipeline.start();
  const stop = new AbortController();
  const live = sendLive(pipeline.ingestUrl, stop.signal);
  for (const [i, lines] of files.entries()) {
    const path = join(folder.path, `${i}.ndjson`);
    writeFileSync(path, `${lines.join('\n')}\n`);
    const sending = sendFiles([path], {
      url: pipeline.ingestUrl,
      key: undefined,
      format: { service: 'unknown' },
      follow: false,
      fromEnd: false,
      position: undefined,
      isBackfill,
      rate: Infinity,
      onProgress: () => {},
      note: () => {},
      signal: new AbortController().signal,
    });
    if (i === Math.floor(files.length / 2) && kills > 0) {
      await pipeline.end('SIGKILL');
      await pipeline.start();
    }
    const { accepted, rejected } = await sending;
    assert.deepEqual([accepted, rejected], [lines.length, 0]);
    // As if each file was sent by a command of its own; the idle time of a request passes.
    if (!isBackfill) await sleep(1500);
  }
  stop.abort();
  const liveRequests = await live;
  await pipeline.untilDone();
  const documents = await documentsOf(pipeline);

  const byId = Map.groupBy(documents, ({ correlationId }) => correlationId);
  for (const id of liveRequests) {
    const found = byId
      .get(id)!
      .map(({ revision, memberDeltas, backfill }) => [revision, memberDeltas.length, backfill]);
    assert.deepEqual(found, [[1, liveEvents, false]], id);
  }
  let whole = 0;
  let events = 0;
  for (const [id, count] of expected) {
    const parts = byId.get(id)!;
    assert.ok(parts.every(({ backfill }) => backfill === isBackfill));
    events += parts.reduce((sum, { memberDeltas }) => sum + memberDeltas.length, 0);
    if (parts.length === 1 && parts[0]!.memberDeltas.length === count) whole++;
  }
  assert.equal(events, files.flat().length, 'each event is in one document');
  t.diagnostic(
    `${whole} of ${expected.size} requests whole, beside ${liveRequests.length} live ones` +
      (isBackfill ? '' : ', without the mark'),
  );
  return whole;
}

function splitByService(lines: readonly string[]): Day & { lines: number } {
  const expected = new Map<string, number>();
  const files = new Map<string, string[]>();
  for (const line of lines) {
    const { service, traceId } = JSON.parse(line) as { service: string; traceId: string };
    expected.set(traceId, (expected.get(traceId) ?? 0) + 1);
    const file = files.get(service) ?? [];
    file.push(line);
    files.set(service, file);
  }
  return { lines: lines.length, files: [...files.values()], expected };
}

const liveEvents = 3;

/** Sends requests that happen now until the signal aborts; returns their ids. */
async function sendLive(url: string, signal: AbortSignal): Promise<string[]> {
  const ids: string[] = [];
  async function* requests(): AsyncGenerator<string[]> {
    while (!signal.aborted) {
      const traceId = `live-${ids.length}`;
      ids.push(traceId);
      yield Array.from({ length: liveEvents }, (_, i) =>
        JSON.stringify({ service: `live-${i}`, message: 'now', traceId }),
      );
      await sleep(20);
    }
  }
  await sendBatches(requests(), { url, onProgress: () => {} });
  return ids;
}

/** The highest revision of each document. */
async function documentsOf(pipeline: Pipeline): Promise<Correlation[]> {
  const newest = new Map<string, Correlation>();
  await using connection = await connectLog(parseSettings({ LOGLOOM_DATA: pipeline.dataFolder }));
  const { log, serde } = connection;
  for (const [partition, end] of (await log.endOffsets(topics.correlations)).entries())
    for (let next = 0; next < end;) {
      const records = await log.read(topics.correlations, partition, next, 1000);
      await serde.load(records.map(({ value }) => value));
      for (const { value } of records) {
        const document = serde.decode(value).value as Correlation;
        newest.set(document.id, document);
      }
      next = records.at(-1)!.offset + 1;
    }
  return [...newest.values()];
}
