import { partitionOf } from '@logloom/event-log';
import { connectLog, type LogConnection } from '@logloom/runtime';
import { memberOffsets, topics, type Correlation } from '@logloom/schemas';
import { temporaryFolder } from '@logloom/testing';
import { parseSettings } from './settings.ts';
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { logEvent } from './testing/correlator-fixtures.ts';

const partitions = 2;
const floods = 4;
const idsPerFlood = 15_000;
/** The code takes half of it, the ids of all floods nearly as much. */
const heapMegabytes = 64;

test('more distinct ids than its heap holds: it does not end, also not when started again, and each event is in one document', async () => {
  using folder = temporaryFolder('flood');
  const env = {
    LOGLOOM_DATA: folder.path,
    LOG_PARTITIONS: String(partitions),
    CORRELATION_IDLE_MS: '600000',
    CORRELATION_MAX_MS: '600000',
  };
  await using connection = await connectLog(parseSettings(env));
  let child = await start(env);
  try {
    for (let flood = 0; flood < floods; flood++) {
      await append(connection, flood);
      // The first two while it runs, the others while nobody reads.
      if (flood === 0) await untilRead(connection, child);
      if (flood === 1) await end(child, 'SIGKILL');
    }
    child = await start(env);
    await untilRead(connection, child);
    await end(child, 'SIGTERM');
    // What is open in the end closes by itself.
    child = await start({ ...env, CORRELATION_IDLE_MS: '50', CORRELATION_GRACE_MS: '1' });
    await untilRead(connection, child, true);
    await end(child, 'SIGTERM');
  } finally {
    if (child.exitCode === null) child.kill('SIGKILL');
  }
  const reasons = new Set<string>();
  for (let partition = 0; partition < partitions; partition++) {
    const members = new Map<string, number[]>();
    for await (const document of documentsOf(connection, partition)) {
      reasons.add(document.closeReason);
      members.set(document.id, memberOffsets(document));
    }
    const offsets = [...members.values()].flat().sort((a, b) => a - b);
    assert.deepEqual(offsets, await eventOffsets(connection, partition));
  }
  assert.ok(reasons.has('evicted') && reasons.has('idle'), [...reasons].join());
});

async function append({ log, serde }: LogConnection, flood: number): Promise<void> {
  const size = 1000;
  for (let i = 0; i < idsPerFlood; i += size)
    await log.append(
      topics.events,
      Array.from({ length: size }, (_, j) => {
        const n = flood * idsPerFlood + i + j;
        const id = `4bf92f3577b34da6a3ce929d0e${n.toString(16).padStart(6, '0')}`;
        const value = serde.encode('LogEvent', logEvent(id, n));
        return { partition: partitionOf(id, partitions), key: id, value };
      }),
    );
}

/** Waits until everything is read; with `closed`, until nothing is open any more. */
async function untilRead({ log }: LogConnection, child: ChildProcess, closed = false): Promise<void> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    assert.deepEqual([child.exitCode, child.signalCode], [null, null], 'the correlator is at work');
    const ends = await log.endOffsets(topics.events);
    const commits = await log.committed('correlator', topics.events);
    const reached = commits.map((commit) => {
      const { position } = JSON.parse(commit?.metadata ?? '{}') as { position?: number };
      return closed ? commit?.offset : position;
    });
    if (ends.every((offset, p) => reached[p] === offset)) return;
    assert.ok(Date.now() < deadline, `still behind: ${JSON.stringify({ ends, reached })}`);
    await sleep(100);
  }
}

async function* documentsOf({ log, serde }: LogConnection, partition: number): AsyncGenerator<Correlation> {
  for (let next = 0; ;) {
    const records = await log.read(topics.correlations, partition, next, 5000);
    if (records.length === 0) return;
    await serde.load(records.map(({ value }) => value));
    for (const { value } of records) yield serde.decode(value).value as Correlation;
    next = records.at(-1)!.offset + 1;
  }
}

async function eventOffsets({ log, serde }: LogConnection, partition: number): Promise<number[]> {
  const offsets: number[] = [];
  for (let next = 0; ;) {
    const records = await log.read(topics.events, partition, next, 5000);
    if (records.length === 0) return offsets;
    await serde.load(records.map(({ value }) => value));
    for (const { offset, value } of records) if (serde.nameOf(value) === 'LogEvent') offsets.push(offset);
    next = records.at(-1)!.offset + 1;
  }
}

async function start(env: Record<string, string>): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [
      `--max-old-space-size=${heapMegabytes}`,
      join(import.meta.dirname, 'testing/correlator.child.ts'),
      JSON.stringify(env),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(child.stdout, 'data');
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
