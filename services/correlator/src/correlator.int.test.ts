import { partitionOf } from '@logloom/event-log';
import { connectLog, type LogConnection } from '@logloom/runtime';
import { memberOffsets, topics, type Correlation } from '@logloom/schemas';
import { parseSettings } from '@logloom/settings';
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const partitions = 4;
const ids = 600;
const events = 12_000;

test('killed again and again while events come, it writes each document once, and a rebuild gives the same bytes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'correlator-'));
  const env = {
    LOGLOOM_DATA: folder,
    CORRELATION_IDLE_MS: '300',
    CORRELATION_MAX_MS: '1500',
    CORRELATION_GRACE_MS: '600',
  };
  let child: ChildProcess | undefined;
  try {
    await using connection = await connectLog(parseSettings(env));
    const expected = new Map<string, number[]>();

    const writing = write(connection, expected);
    for (let kills = 0; kills < 12; kills++) {
      child = await start(env);
      await sleep(50 + Math.random() * 400);
      await end(child, 'SIGKILL');
    }
    await writing;
    child = await start(env);
    await untilDone(connection);
    await end(child, 'SIGTERM');

    const documents = await read(connection);
    for (const partition of documents) {
      assert.deepEqual(
        partition.map((d) => [d.closeOffset, d.closeSequence]),
        partition
          .map((d) => [d.closeOffset, d.closeSequence])
          .toSorted((a, b) => a[0]! - b[0]! || a[1]! - b[1]!),
        'written in order of closing',
      );
      assert.equal(
        new Set(partition.map((d) => `${d.id}/${d.revision}`)).size,
        partition.length,
        'no revision twice',
      );
    }
    const newest = [...new Map(documents.flat().map((d) => [d.id, d])).values()];
    const members = new Map<string, number[]>();
    for (const d of newest)
      members.set(d.correlationId, [...(members.get(d.correlationId) ?? []), ...memberOffsets(d)]);
    for (const list of members.values()) list.sort((a, b) => a - b);
    assert.deepEqual(members, expected);
    assert.ok(
      documents.flat().some((d) => d.revision > 1),
      'some events came late',
    );

    const before = await readBytes(connection);
    await connection.log.deleteTopic(topics.correlations);
    await connection.log.createTopics([{ name: topics.correlations, partitions }]);
    child = await start(env);
    await untilDone(connection, before.length);
    await end(child, 'SIGTERM');
    assert.equal(digest(await readBytes(connection)), digest(before));
  } finally {
    if (child?.exitCode === null) child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
});

/** Appends events over about three seconds, so that groups close while others open; some ids come back after they closed. */
async function write({ log, serde }: LogConnection, expected: Map<string, number[]>): Promise<void> {
  const batch = 150;
  for (let i = 0; i < events; i += batch) {
    const records = Array.from({ length: batch }, (_, j) => {
      const n = i + j;
      // A window of ids moves along; one event in forty belongs to an id that has fallen behind.
      const id =
        n % 40 === 0
          ? Math.max(0, Math.floor((n * ids) / events) - 60)
          : Math.floor((n * ids) / events) + (n % 7);
      const correlationId = `trace-${id}`;
      return {
        partition: partitionOf(correlationId, partitions),
        key: correlationId,
        value: serde.encode('LogEvent', {
          source: { kind: 'http', topic: 'test', partition: 0, offset: n, index: 0 },
          timestamp: 1_700_000_000_000_000 + n,
          receivedAt: 0,
          level: n % 50 === 0 ? 'error' : 'info',
          service: `service-${n % 5}`,
          host: null,
          message: `event ${n}`,
          correlationId,
          correlationKind: 'traceId',
          traceId: correlationId,
          spanId: null,
          attributes: '{}',
        }),
      };
    });
    const offsets = await log.append(topics.events, records);
    records.forEach((record, j) =>
      expected.set(record.key, [...(expected.get(record.key) ?? []), offsets[j]!]),
    );
    await sleep(40);
  }
}

async function start(env: Record<string, string>): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'correlator.child.ts'), JSON.stringify(env)],
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

/** Waits until the ticks have closed every group, the commit has reached the end of the log, and so many documents are there. */
async function untilDone({ log }: LogConnection, documents = 0): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const ends = await log.endOffsets(topics.events);
    const commits = await log.committed('correlator', topics.events);
    const written = (await log.endOffsets(topics.correlations)).reduce((sum, offset) => sum + offset, 0);
    if (ends.every((offset, p) => commits[p]?.offset === offset) && written >= documents) return;
    assert.ok(Date.now() < deadline, `still behind: ${JSON.stringify({ ends, commits, written })}`);
    await sleep(100);
  }
}

async function read({ log, serde }: LogConnection): Promise<Correlation[][]> {
  return Promise.all(
    Array.from({ length: partitions }, async (_, p) => {
      const records = await log.read(topics.correlations, p, 0, 1_000_000);
      await serde.load(records.map((r) => r.value));
      return records.map((r) => serde.decode(r.value).value as Correlation);
    }),
  );
}

/** Every document's bytes, partition by partition. */
async function readBytes({ log }: LogConnection): Promise<Buffer[]> {
  const perPartition = await Promise.all(
    Array.from({ length: partitions }, (_, p) => log.read(topics.correlations, p, 0, 1_000_000)),
  );
  return perPartition.flat().map((record) => record.value);
}

function digest(values: Buffer[]): string {
  return createHash('sha256')
    .update(JSON.stringify(values.map((value) => value.toString('base64'))))
    .digest('hex');
}
