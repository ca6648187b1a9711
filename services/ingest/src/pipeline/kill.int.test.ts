import { DuplicateWindow, SqliteEventLog, type Assignment } from '@logloom/event-log';
import { topics } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readDeadLetters, readEvents, startForTest, temporaryFolder } from '../testing/ingest-harness.ts';

const partitions = 4;
const deadlineMs = 120_000;

const total = (offsets: number[]): number => offsets.reduce((sum, offset) => sum + offset, 0);

async function startChild(folder: string) {
  const child = fork(join(import.meta.dirname, '../testing/ingest-child.ts'), [folder], { stdio: 'inherit' });
  const [address] = (await once(child, 'message')) as [string];
  return {
    address,
    kill: async () => {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/** Every 500th is broken; every 100th a request of OpenTelemetry with three records, which go to several partitions. */
function rawText(n: number): string {
  if (n % 500 === 499) return `{broken ${n}`;
  if (n % 100 !== 50) return JSON.stringify({ n, requestId: `r${n % 700}` });
  const logRecords = thirds(n).map((value) => ({
    attributes: [
      { key: 'n', value: { doubleValue: value } },
      { key: 'requestId', value: { stringValue: `o${value}` } },
    ],
  }));
  return JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
}

const thirds = (n: number): number[] => [n, n + 0.25, n + 0.5];

test('logs.raw: each record is in logs.events exactly once, however often the service is killed', async () => {
  using folder = temporaryFolder();
  const records = 5000;
  const log = new SqliteEventLog(join(folder.path, 'log'));
  await log.createTopics(Object.values(topics).map((name) => ({ name, partitions })));
  const raw = Array.from({ length: records }, (_, n) => ({
    partition: n % partitions,
    key: null,
    value: Buffer.from(rawText(n)),
  }));
  // In portions, so that the service finds something to do in each of its lives.
  const lives = 8;
  const portion = records / lives;
  for (let life = 0; life < lives; life++) {
    await log.append(topics.raw, raw.slice(life * portion, (life + 1) * portion));
    const before = total(await log.endOffsets(topics.events));
    const child = fork(join(import.meta.dirname, '../testing/ingest-child.ts'), [folder.path], {
      stdio: 'inherit',
    });
    const exit = once(child, 'exit');
    // Killed as soon as something is written: likely before the commit that would tell of it.
    const deadline = Date.now() + deadlineMs;
    while (total(await log.endOffsets(topics.events)) === before) {
      assert.ok(Date.now() < deadline, 'the service wrote nothing');
      await sleep(Math.random() * 2);
    }
    child.kill('SIGKILL');
    await exit;
  }
  {
    await using service = await startForTest(folder.path);
    assert.ok(service.address);
    const deadline = Date.now() + deadlineMs;
    const drained = async () => {
      const ends = await log.endOffsets(topics.raw);
      const committed = await log.committed('ingest', topics.raw);
      return committed.every((commit, p) => commit?.offset === ends[p]);
    };
    while (!(await drained())) {
      assert.ok(Date.now() < deadline, 'logs.raw was not worked off');
      await sleep(50);
    }
  }
  await log.close();
  const events = await readEvents(folder.path);
  const numbers = events.map(({ attributes }) => (JSON.parse(attributes) as { n: number }).n);
  const expected = Array.from({ length: records }, (_, n) => n)
    .filter((n) => n % 500 !== 499)
    .flatMap((n) => (n % 100 === 50 ? thirds(n) : [n]));
  assert.deepEqual(
    numbers.toSorted((a, b) => a - b),
    expected,
  );
  // Within a partition the offsets of one raw partition only grow: readers rely on it.
  const windows = Array.from({ length: partitions }, () => new DuplicateWindow());
  assert.ok(events.every(({ source, at }) => windows[at.partition]!.admit(source, at.offset)));
  const dead = new Set((await readDeadLetters(folder.path)).map(({ payload }) => payload.toString()));
  assert.equal(dead.size, records / 500);
});

test('logs.raw: what was written after the last commit is not written again', async () => {
  using folder = temporaryFolder();
  const log = new SqliteEventLog(join(folder.path, 'log'));
  await log.createTopics(Object.values(topics).map((name) => ({ name, partitions })));
  const append = (from: number) =>
    log.append(
      topics.raw,
      Array.from({ length: 100 }, (_, i) => ({
        partition: 0,
        key: null,
        value: Buffer.from(`{"n":${from + i}}`),
      })),
    );
  const workOff = async () => {
    await using service = await startForTest(folder.path);
    assert.ok(service.address);
    const end = (await log.endOffsets(topics.raw))[0]!;
    const deadline = Date.now() + deadlineMs;
    while ((await log.committed('ingest', topics.raw))[0]?.offset !== end) {
      assert.ok(Date.now() < deadline, 'logs.raw was not worked off');
      await sleep(20);
    }
  };
  await append(0);
  await workOff();
  const earlier = (await log.committed('ingest', topics.raw))[0]!;
  await append(100);
  await workOff();

  // As a crash between the append and its commit leaves it.
  const stop = new AbortController();
  const open = async ({ partition, commit }: Assignment) => {
    if (partition === 0) await commit(earlier.offset, earlier.metadata);
    stop.abort();
    return { process: async () => {} };
  };
  await log.consume({ group: 'ingest', topics: [topics.raw], open }, stop.signal);
  assert.deepEqual((await log.committed('ingest', topics.raw))[0], earlier);

  await append(200);
  await workOff();
  await log.close();
  const numbers = (await readEvents(folder.path)).map(({ source }) => source.offset);
  assert.deepEqual(
    numbers.toSorted((a, b) => a - b),
    Array.from({ length: 300 }, (_, n) => n),
  );
});

test('HTTP: what was acknowledged is there after kill -9, and a numbered retry leaves no duplicate', async () => {
  using folder = temporaryFolder();
  const perRequest = 200;
  const requests = 60;
  let child = await startChild(folder.path);
  let kill = Promise.resolve();
  for (let request = 0; request < requests; request++) {
    const first = request * perRequest;
    const body = Array.from({ length: perRequest }, (_, i) => JSON.stringify({ n: first + i })).join('\n');
    const headers = {
      'content-type': 'application/x-ndjson',
      'logloom-producer': 'client',
      'logloom-sequence': String(first),
    };
    if (request % 10 === 5) kill = sleep(Math.random() * 5).then(child.kill);
    for (let acknowledged = false; !acknowledged;) {
      try {
        const response = await fetch(`${child.address}/ingest`, { method: 'POST', body, headers });
        if (response.status !== 200) continue;
        const { accepted, duplicates = 0 } = (await response.json()) as {
          accepted: number;
          duplicates?: number;
        };
        assert.equal(accepted + duplicates, perRequest);
        acknowledged = true;
      } catch {
        await kill;
        child = await startChild(folder.path);
      }
    }
  }
  await kill;
  await child.kill();
  const windows = Array.from({ length: partitions }, () => new DuplicateWindow());
  const events = await readEvents(folder.path);
  const admitted = events.filter(({ source, at }) => windows[at.partition]!.admit(source, at.offset));
  assert.deepEqual(
    admitted.map(({ attributes }) => (JSON.parse(attributes) as { n: number }).n).toSorted((a, b) => a - b),
    Array.from({ length: requests * perRequest }, (_, n) => n),
  );
});
