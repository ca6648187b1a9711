import { partitionOf, type EventLog, type LogRecord } from '@logloom/event-log';
import { connectLog, type LogConnection } from '@logloom/runtime';
import { backfillHeader, memberOffsets, topics, type Correlation } from '@logloom/schemas';
import { temporaryFolder } from '@logloom/testing';
import { parseSettings } from './settings.ts';
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { logEvent } from './testing/correlator-fixtures.ts';

const partitions = 4;
const ids = 600;
const total = 12_000;

/** The settings of one start: no two in a row are the same. */
const idles = ['300', '90', '700'];
const settingsAt = (start: number): Record<string, string> => ({
  CORRELATION_IDLE_MS: idles[start % idles.length]!,
  CORRELATION_MAX_MS: start % 2 === 0 ? '1500' : '400',
  CORRELATION_GRACE_MS: start % 4 < 2 ? '600' : '200',
  CORRELATION_BACKFILL_IDLE_MS: start % 3 === 0 ? '250' : '60',
  CORRELATION_BACKFILL_MAX_MS: start % 2 === 0 ? '150' : '300',
  CORRELATION_BACKFILL_GRACE_MS: '800',
});

test('killed again and again while events come, each time with other settings, it writes each document once, and a rebuild makes the same bytes', async () => {
  const folder = temporaryFolder('correlator').path;
  const env = { LOGLOOM_DATA: folder };
  let child: ChildProcess | undefined;
  try {
    await using connection = await connectLog(parseSettings(env));
    const expected = new Map<string, number[]>();

    const writing = write(connection, expected);
    for (let kills = 0; kills < 12; kills++) {
      child = await start({ ...env, ...settingsAt(kills) });
      await sleep(50 + Math.random() * 400);
      await end(child, 'SIGKILL');
    }
    await writing;
    child = await start({ ...env, ...settingsAt(0) });
    await untilDone(connection);
    await end(child, 'SIGTERM');

    const documents = await read(connection);
    for (const partition of documents) {
      assertInOrder(partition);
      assert.equal(
        new Set(partition.map((d) => `${d.id}/${d.revision}`)).size,
        partition.length,
        'no revision twice',
      );
    }
    assert.deepEqual(membersOf(documents), expected);
    for (const isBackfill of [false, true])
      assert.ok(
        documents.flat().some((d) => d.revision > 1 && d.backfill === isBackfill),
        'some events came late',
      );

    const before = await readBytes(connection);
    await connection.log.deleteTopic(topics.correlations);
    await connection.log.createTopics([{ name: topics.correlations, partitions }]);
    // With settings that were never in force.
    child = await start({ ...env, CORRELATION_IDLE_MS: '40', CORRELATION_MAX_MS: '50' });
    await untilDone(connection, before.length);
    await end(child, 'SIGTERM');
    assert.equal(digest(await readBytes(connection)), digest(before));
  } finally {
    if (child?.exitCode === null) child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
});

test('stopped with a request open and started with another idle time, each event is in one document', async () => {
  using folder = temporaryFolder('settings');
  const env = { LOGLOOM_DATA: folder.path, CORRELATION_GRACE_MS: '1' };
  await using connection = await connectLog(parseSettings(env));
  const expected = new Map<string, number[]>();
  let n = 0;
  const append = (id: string): Promise<void> => appendTo(connection, expected, [{ id, n: n++ }]);
  const long = 'long-request';
  const neighbours = Array.from({ length: 100 }, (_, i) => `short-${i}`).filter(
    (id) => partitionOf(id, partitions) === partitionOf(long, partitions),
  );
  for (const idle of ['1500', '300', '3000']) {
    const child = await start({ ...env, CORRELATION_IDLE_MS: idle });
    try {
      // The neighbour closes while the long request is open; by the next start's idle time that would have closed before.
      await append(neighbours.pop()!);
      for (let events = 0; events < 6; events++) {
        await append(long);
        await sleep(500);
      }
      await untilRead(connection);
    } finally {
      await end(child, 'SIGTERM');
    }
    await append(long);
  }
  const child = await start({ ...env, CORRELATION_IDLE_MS: '100' });
  try {
    await untilDone(connection);
  } finally {
    await end(child, 'SIGTERM');
  }
  const documents = await read(connection);
  documents.forEach(assertInOrder);
  assert.deepEqual(membersOf(documents), expected);
});

/** Readers drop a document whose close is not behind the last one. */
function assertInOrder(documents: Correlation[]): void {
  const closes = documents.map((d) => [d.closeOffset, d.closeSequence]);
  assert.deepEqual(
    closes,
    closes.toSorted((a, b) => a[0]! - b[0]! || a[1]! - b[1]!),
    'written in order of closing',
  );
}

/** The members of each correlation id, by the newest revisions. */
function membersOf(documents: Correlation[][]): Map<string, number[]> {
  const newest = [...new Map(documents.flat().map((d) => [d.id, d])).values()];
  const members = new Map<string, number[]>();
  for (const d of newest)
    members.set(d.correlationId, [...(members.get(d.correlationId) ?? []), ...memberOffsets(d)]);
  for (const list of members.values()) list.sort((a, b) => a - b);
  return members;
}

/** Appends events over about three seconds, so that sessions close while others open; some ids come back after they closed. */
async function write(connection: LogConnection, expected: Map<string, number[]>): Promise<void> {
  const batch = 150;
  for (let i = 0; i < total; i += batch) {
    const events = Array.from({ length: batch }, (_, j) => {
      const n = i + j;
      // A window of ids moves along; one event in forty belongs to an id that has fallen behind.
      const id =
        n % 40 === 0
          ? Math.max(0, Math.floor((n * ids) / total) - 60)
          : Math.floor((n * ids) / total) + (n % 7);
      // A part of each request is sent as a backfill.
      return { id: `trace-${id}`, n, isBackfill: n % 3 === 0 };
    });
    await appendTo(connection, expected, events);
    await sleep(40);
  }
}

/** Appends events, and notes their offsets by id. */
async function appendTo(
  { log, serde }: LogConnection,
  expected: Map<string, number[]>,
  events: readonly { id: string; n: number; isBackfill?: boolean }[],
): Promise<void> {
  const records = events.map(({ id: correlationId, n, isBackfill = false }) => ({
    partition: partitionOf(correlationId, partitions),
    key: correlationId,
    value: serde.encode('LogEvent', logEvent(correlationId, n)),
    headers: isBackfill ? { [backfillHeader]: 'true' } : {},
  }));
  const offsets = await log.append(topics.events, records);
  records.forEach((record, j) =>
    expected.set(record.key, [...(expected.get(record.key) ?? []), offsets[j]!]),
  );
}

async function start(env: Record<string, string>): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'testing/correlator.child.ts'), JSON.stringify(env)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await once(child.stdout, 'data');
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

/** Waits until the ticks have closed every session, the commit has reached the end of the log, and so many documents are there. */
async function untilDone({ log }: LogConnection, documents = 0): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const ends = await log.endOffsets(topics.events);
    const commits = await log.committed('correlator', topics.events);
    const written = (await log.endOffsets(topics.correlations)).reduce((sum, offset) => sum + offset, 0);
    if (ends.every((offset, p) => (commits[p]?.offset ?? 0) === offset) && written >= documents) return;
    assert.ok(Date.now() < deadline, `still behind: ${JSON.stringify({ ends, commits, written })}`);
    await sleep(100);
  }
}

/** Waits until the correlator has read everything there is. */
async function untilRead({ log }: LogConnection): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const ends = await log.endOffsets(topics.events);
    const commits = await log.committed('correlator', topics.events);
    const positions = commits.map(
      (commit) => (JSON.parse(commit?.metadata ?? '{}') as { position?: number }).position,
    );
    if (ends.every((offset, p) => (positions[p] ?? 0) === offset)) return;
    assert.ok(Date.now() < deadline, `still behind: ${JSON.stringify({ ends, positions })}`);
    await sleep(50);
  }
}

async function read({ log, serde }: LogConnection): Promise<Correlation[][]> {
  return Promise.all(
    Array.from({ length: partitions }, async (_, p) => {
      const records = await readAll(log, topics.correlations, p);
      await serde.load(records.map((r) => r.value));
      return records.map((r) => serde.decode(r.value).value as Correlation);
    }),
  );
}

/** All records of a partition. */
async function readAll(log: EventLog, topic: string, partition: number): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  for (let next = 0; ; next = all.at(-1)!.offset + 1) {
    const records = await log.read(topic, partition, next, 10_000);
    if (records.length === 0) return all;
    all.push(...records);
  }
}

/** Every document's bytes, partition by partition. */
async function readBytes({ log }: LogConnection): Promise<Buffer[]> {
  const perPartition = await Promise.all(
    Array.from({ length: partitions }, (_, p) => readAll(log, topics.correlations, p)),
  );
  return perPartition.flat().map((record) => record.value);
}

function digest(values: Buffer[]): string {
  return createHash('sha256')
    .update(JSON.stringify(values.map((value) => value.toString('base64'))))
    .digest('hex');
}
