import { DuplicateWindow, SqliteEventLog, type EventLog, type LogRecord } from '@logloom/event-log';
import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { redrivenFrom, redriveSource, topics, type DeadLetter, senderOf } from '@logloom/schemas';
import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import type { LogAccess } from './dead-letters.ts';
import {
  countRedrive,
  planRedrive,
  runRedrive,
  type RedriveCriteria,
  type RedriveResult,
} from './redrive.ts';

const partitions = 2;
const everything: RedriveCriteria = { again: false };
const never = new AbortController().signal;

/** An embedded log with dead letters in it; `put` returns the payloads that were put into logs.raw, in order. */
async function openLog() {
  const folder = temporaryFolder('redrive').path;
  const log = new SqliteEventLog(folder);
  await log.createTopics(Object.values(topics).map((name) => ({ name, partitions })));
  const serde = await createSerde(createEmbeddedSchemaRegistry());
  const access: LogAccess = { log, serde };
  let sequence = 0;
  const deadLetterIn = (partition: number): DeadLetter => {
    const n = sequence++;
    return {
      code: 'bad-json',
      message: 'Unexpected end',
      source: { kind: 'http', topic: `producer-${partition}`, partition: 0, offset: n, index: 0 },
      receivedAt: 1000 + n,
      payload: Buffer.from(`payload ${n}`),
      key: null,
      address: null,
    };
  };
  const append = async (deadLetters: { partition: number; deadLetter: DeadLetter }[]): Promise<string[]> => {
    await log.append(
      topics.deadLetter,
      deadLetters.map(({ partition, deadLetter }) => ({
        partition,
        key: null,
        value: serde.encode('DeadLetter', deadLetter),
      })),
    );
    return deadLetters.map(({ deadLetter }) => deadLetter.payload.toString());
  };
  return {
    access,
    refuse: async (partition: number, rest: Partial<DeadLetter> = {}): Promise<string> =>
      (await append([{ partition, deadLetter: { ...deadLetterIn(partition), ...rest } }]))[0]!,
    /** A dead letter in each of these partitions. */
    refuseMany: (inPartitions: number[]): Promise<string[]> =>
      append(inPartitions.map((partition) => ({ partition, deadLetter: deadLetterIn(partition) }))),
    run: async (
      jobId: string,
      criteria: RedriveCriteria = everything,
      on: EventLog = log,
    ): Promise<RedriveResult> => {
      const job = await planRedrive(access, criteria);
      return runRedrive({ log: on, serde }, jobId, job, never, async () => {});
    },
    put: async () => {
      const found: (Pick<LogRecord, 'partition' | 'offset' | 'headers'> & { payload: string })[] = [];
      for (let p = 0; p < partitions; p++)
        for (const { offset, value, headers } of await log.read(topics.raw, p, 0, 100_000))
          found.push({ partition: p, offset, payload: value.toString(), headers });
      return found;
    },
    [Symbol.asyncDispose]: async () => {
      await log.close();
      rmSync(folder, { recursive: true });
    },
  };
}

class Crash extends Error {}

/** The log, which fails at the append after `appends` more, before or after it has stored the records. */
function failing(log: EventLog, appends: number, stores: boolean): EventLog {
  let left = appends;
  return new Proxy(log, {
    get: (target, name) => {
      if (name !== 'append') {
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      }
      return async (...args: Parameters<EventLog['append']>) => {
        if (left-- > 0) return target.append(...args);
        if (stores) await target.append(...args);
        throw new Crash();
      };
    },
  });
}

test('interrupted at any append, stored or not, a redrive puts each dead letter once and in order', async () => {
  for (let appends = 0; ; appends++) {
    let crashes = 0;
    for (const stores of [false, true]) {
      await using rig = await openLog();
      // More than one batch in the first partition.
      const payloads = await rig.refuseMany(Array.from({ length: 230 }, (_, n) => (n < 200 ? 0 : 1)));
      const job = await planRedrive(rig.access, everything);
      const run = (log: EventLog) => runRedrive({ ...rig.access, log }, 'job', job, never, async () => {});
      await run(failing(rig.access.log, appends, stores)).catch((error: unknown) => {
        if (!(error instanceof Crash)) throw error;
        crashes++;
      });
      const result = await run(rig.access.log);
      assert.deepEqual(result, {
        redriven: 230,
        codes: { 'bad-json': 230 },
        alreadyRedriven: 0,
        tooLarge: 0,
      });
      assert.deepEqual(
        (await rig.put()).map(({ payload }) => payload),
        payloads,
      );
    }
    if (crashes === 0) return;
  }
});

test('what is put again says who sent it, and that of a forbidden service always has a key', async () => {
  await using rig = await openLog();
  await rig.refuse(0, { key: 'shop', address: '10.0.0.1' });
  await rig.refuse(0, { key: null, address: '10.0.0.2' });
  // As dead letters were before they kept their senders.
  await rig.refuse(0, { code: 'service-not-allowed' });
  await rig.run('job');
  const records = await rig.access.log.read(topics.raw, 0, 0, 10);
  assert.deepEqual(
    records.map(({ headers }) => senderOf(headers)),
    [
      { key: 'shop', address: '10.0.0.1' },
      { key: undefined, address: '10.0.0.2' },
      { key: '', address: undefined },
    ],
  );
});

test('two workers of one job, and two jobs at once: readers see each dead letter once', async () => {
  for (const jobIds of [
    ['job', 'job'],
    ['job', 'other'],
  ] as const) {
    await using rig = await openLog();
    const payloads = await rig.refuseMany(Array.from({ length: 450 }, (_, n) => n % partitions));
    const job = await planRedrive(rig.access, everything);
    await Promise.all(jobIds.map((id) => runRedrive(rig.access, id, job, never, async () => {})));
    const windows = Array.from({ length: partitions }, () => new DuplicateWindow());
    const seen = (await rig.put()).filter(({ partition, offset, headers }) =>
      windows[partition]!.admit(redriveSource(redrivenFrom(headers)!), offset),
    );
    assert.deepEqual(seen.map(({ payload }) => payload).sort(), payloads.sort());
  }
});

test('what was redriven is left alone, unless it is wanted again', async () => {
  await using rig = await openLog();
  const first = await rig.refuse(0);
  assert.equal((await rig.run('one')).redriven, 1);
  const second = await rig.refuse(0);
  assert.deepEqual(await countRedrive(rig.access, everything), {
    redriven: 1,
    codes: { 'bad-json': 1 },
    alreadyRedriven: 1,
    tooLarge: 0,
  });
  assert.equal((await rig.run('two')).alreadyRedriven, 1);
  assert.equal((await rig.run('three')).redriven, 0);
  assert.equal((await rig.run('four', { again: true })).redriven, 2);
  assert.deepEqual(
    (await rig.put()).map(({ payload }) => payload),
    [first, second, first, second],
  );
});

test('a dead letter that was refused again stands for the first one', async () => {
  await using rig = await openLog();
  await rig.refuse(0);
  await rig.run('one');
  // It comes from the raw receiver, with the source that the redrive gave it.
  const source = redriveSource({ jobId: 'one', partition: 0, offset: 0 });
  await rig.refuse(1, { source, payload: Buffer.from('refused again') });
  assert.equal((await rig.run('two')).redriven, 1);
  await rig.run('three', { again: true });
  assert.deepEqual((await rig.put()).map(({ payload }) => payload).sort(), [
    'payload 0',
    'refused again',
    'refused again',
  ]);
});

test('duplicates of a dead letter, and what came from the inner topics, are not put', async () => {
  await using rig = await openLog();
  const source = { kind: 'kafka', topic: topics.raw, partition: 1, offset: 7, index: 0 };
  const payload = await rig.refuse(0, { source });
  await rig.refuse(0, { source });
  await rig.refuse(0, { source: { ...source, topic: topics.events } });
  assert.equal((await countRedrive(rig.access, everything)).redriven, 1);
  await rig.run('one');
  assert.deepEqual(
    (await rig.put()).map((put) => put.payload),
    [payload],
  );
});

test('code, text and time choose', async () => {
  await using rig = await openLog();
  const early = await rig.refuse(0, { receivedAt: 100 });
  const late = await rig.refuse(0, { receivedAt: 200 });
  const other = await rig.refuse(1, { code: 'bad-level', message: 'lvl is neither a Text nor a number' });
  const chosen = async (criteria: Partial<RedriveCriteria>): Promise<string[]> => {
    const before = (await rig.put()).length;
    const { redriven } = await countRedrive(rig.access, { again: true, ...criteria });
    await rig.run(`job-${before}`, { again: true, ...criteria });
    const put = (await rig.put()).map(({ payload }) => payload);
    assert.equal(put.length - before, redriven);
    const counted = new Map<string, number>();
    for (const payload of put) counted.set(payload, (counted.get(payload) ?? 0) + 1);
    const last = [...counted].filter(([payload, count]) => count > (earlier.get(payload) ?? 0));
    for (const [payload, count] of counted) earlier.set(payload, count);
    return last.map(([payload]) => payload).sort();
  };
  const earlier = new Map<string, number>();
  assert.deepEqual(await chosen({ code: 'bad-level' }), [other]);
  assert.deepEqual(await chosen({ text: 'a TEXT nor' }), [other]);
  assert.deepEqual(await chosen({ toMicros: 200_000 }), [early]);
  assert.deepEqual(await chosen({ fromMicros: 200_000, code: 'bad-json' }), [late]);
  assert.deepEqual(await chosen({}), [early, late, other].sort());
});

test('where logs.raw no longer shows what was put, the job fails for good', async () => {
  await using rig = await openLog();
  const { log } = rig.access;
  await rig.refuse(0);
  const job = await planRedrive(rig.access, everything);
  for (let n = 0; n < 3; n++)
    await log.append(topics.raw, [{ partition: 0, key: null, value: Buffer.from('x') }]);
  await log.trim(topics.raw, Date.now() + 10_000);
  await assert.rejects(
    runRedrive(rig.access, 'job', job, never, async () => {}),
    { name: 'UnrecoverableJobError' },
  );
});
