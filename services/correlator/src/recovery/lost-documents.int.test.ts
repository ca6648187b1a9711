import { partitionOf, SqliteEventLog } from '@logloom/event-log';
import { connectLog, type LogConnection } from '@logloom/runtime';
import { memberOffsets, topics, type Correlation } from '@logloom/schemas';
import { parseSettings } from '../settings.ts';
import { createTelemetry } from '@logloom/telemetry';
import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCorrelator } from '../run-correlator.ts';
import { logEvent } from '../testing/correlator-fixtures.ts';

const settingsFor = (folder: string) =>
  parseSettings({
    LOGLOOM_DATA: folder,
    LOG_PARTITIONS: '1',
    CORRELATION_IDLE_MS: '50',
    CORRELATION_GRACE_MS: '50',
  });

const connectTo = (folder: string): Promise<LogConnection> => connectLog(settingsFor(folder));

let n = 0;

/** Appends two events of each request; returns their offsets. */
async function send({ log, serde }: LogConnection, ids: readonly string[]): Promise<number[]> {
  return log.append(
    topics.events,
    [...ids, ...ids].map((id) => ({
      partition: partitionOf(id, 1),
      key: id,
      value: serde.encode('LogEvent', logEvent(id, n++)),
    })),
  );
}

async function documents({ log, serde }: LogConnection): Promise<Correlation[]> {
  const found: Correlation[] = [];
  for (let next = 0; ;) {
    const records = await log.read(topics.correlations, 0, next, 1000);
    if (records.length === 0) return found;
    await serde.load(records.map(({ value }) => value));
    for (const { value } of records) {
      if (serde.nameOf(value) === 'Correlation') found.push(serde.decode(value).value as Correlation);
    }
    next = records.at(-1)!.offset + 1;
  }
}

/** Runs the correlator until there is a document of this id, and everything is committed. */
async function correlate(connection: LogConnection, folder: string, until: string): Promise<void> {
  const stop = new AbortController();
  const running = runCorrelator({
    settings: settingsFor(folder),
    telemetry: createTelemetry('correlator', 'silent'),
    signal: stop.signal,
    onReady: () => {},
  });
  try {
    for (const deadline = Date.now() + 60_000; ; await sleep(20)) {
      const [end] = await connection.log.endOffsets(topics.events);
      const [commit] = await connection.log.committed('correlator', topics.events);
      const isDone = commit?.offset === end;
      if (isDone && (await documents(connection)).some((d) => d.correlationId === until)) break;
      assert.ok(Date.now() < deadline, `no document of ${until}`);
      await Promise.race([sleep(1), running]);
    }
  } finally {
    stop.abort();
    await running;
  }
}

/** Each event is in one document, and the documents are in the order of their closes: readers drop others. */
function assertWhole(all: readonly Correlation[], events: readonly number[]): void {
  const newest = new Map(all.map((document) => [document.id, document]));
  const members = [...newest.values()].flatMap(memberOffsets);
  assert.deepEqual(
    members.sort((a, b) => a - b),
    events.toSorted((a, b) => a - b),
  );
  const closes = all.map(({ closeOffset, closeSequence }) => [closeOffset, closeSequence] as const);
  assert.deepEqual(
    closes,
    closes.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]),
  );
}

test('documents that were lost with a write-ahead file are made again, whether all of them or the last', async () => {
  for (const before of [[], ['in the file 1', 'in the file 2']]) {
    using folder = temporaryFolder('lost');
    using copy = temporaryFolder('lost');
    const events: number[] = [];
    {
      // Closed at the end: what is there now is in the topic's file.
      await using connection = await connectTo(folder.path);
      if (before.length > 0) {
        events.push(...(await send(connection, before)));
        await correlate(connection, folder.path, before[0]!);
      }
    }
    {
      await using connection = await connectTo(folder.path);
      for (const id of ['lost 1', 'lost 2', 'lost 3']) {
        events.push(...(await send(connection, [id, `${id} too`])));
        await correlate(connection, folder.path, id);
      }
      // As a process that is killed leaves it.
      cpSync(folder.path, copy.path, { recursive: true });
    }
    const wal = join(copy.path, 'log', `${topics.correlations}.db-wal`);
    assert.ok(existsSync(wal));
    rmSync(wal);
    const troubles: string[] = [];
    await using owned = SqliteEventLog.own(join(copy.path, 'log'), ({ message }) => troubles.push(message));
    assert.deepEqual([owned.damaged.length, troubles.length], [0, 1]);
    await using connection = await connectTo(copy.path);
    assert.equal((await documents(connection)).length, before.length);
    for (const id of ['new 1', 'new 2']) {
      events.push(...(await send(connection, [id])));
      await correlate(connection, copy.path, id);
    }
    assertWhole(await documents(connection), events);
  }
});

test('a record of the output that cannot be decoded, in place of a document or beside them, stops nothing', async () => {
  using folder = temporaryFolder('undecodable');
  await using connection = await connectTo(folder.path);
  const { log } = connection;
  const events: number[] = [];
  for (const id of ['first', 'second']) {
    const garbage = [{ partition: 0, key: null, value: Buffer.from(`no document ${id}`) }];
    for (const topic of [topics.correlations, topics.alerts]) await log.append(topic, garbage);
    events.push(...(await send(connection, [id])));
    await correlate(connection, folder.path, id);
  }
  assertWhole(await documents(connection), events);
});
