import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { eventLogContract } from '../contract/event-log.contract.ts';
import {
  newGroup,
  newTopic,
  numbered,
  readAll,
  record,
  rejectsWith,
  Running,
  texts,
} from '../contract/harness.ts';
import { EventLogError, type Assignment } from '../event-log.ts';
import { asEventLogError } from './error.ts';
import { SqliteEventLog } from './sqlite-event-log.ts';

const root = temporaryFolder('event-log').path;
after(() => rmSync(root, { recursive: true }));
const newFolder = (): string => mkdtempSync(join(root, 'log-'));

eventLogContract('SqliteEventLog', async () => {
  const folder = newFolder();
  return { log: new SqliteEventLog(folder), connect: async () => new SqliteEventLog(folder) };
});

/** Runs the text in a thread with `log`, an instance of its own on the folder, and `topic`; returns what it returns. */
async function inThread(folder: string, topic: string, body: string): Promise<unknown> {
  const source = `
    import { parentPort, workerData } from 'node:worker_threads';
    const { SqliteEventLog } = await import(workerData.module);
    const log = new SqliteEventLog(workerData.folder);
    const topic = workerData.topic;
    parentPort.postMessage(await (async () => { ${body} })());
    await log.close();`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
    workerData: { folder, topic, module: new URL('./sqlite-event-log.ts', import.meta.url).href },
  });
  return new Promise((resolve, reject) => {
    let result: unknown;
    worker.on('message', (message: unknown) => (result = message));
    worker.on('error', reject);
    worker.on('exit', () => resolve(result));
  });
}

test('threads that open a new folder at once agree on the epoch and the topic', async () => {
  for (let round = 0; round < 3; round++) {
    const folder = newFolder();
    const body = `
      await log.createTopics([{ name: topic, partitions: 3 }]);
      await log.append(topic, [{ partition: 1, key: null, value: Buffer.from('x') }]);
      return log.epoch;`;
    const epochs = await Promise.all(Array.from({ length: 4 }, () => inThread(folder, 'shared', body)));
    const log = new SqliteEventLog(folder);
    assert.deepEqual(epochs, [log.epoch, log.epoch, log.epoch, log.epoch]);
    assert.deepEqual(
      (await readAll(log, 'shared', 1)).map((r) => r.offset),
      [0, 1, 2, 3],
    );
    await log.close();
  }
});

test('what a thread appends arrives at the followers on another', async () => {
  const folder = newFolder();
  const log = new SqliteEventLog(folder);
  const topic = await newTopic(log);
  const found: string[] = [];
  {
    await using following = new Running((signal) =>
      log.follow({ topic, from: [0], onBatch: (records) => void found.push(...texts(records)) }, signal),
    );
    const body = `
      for (let i = 0; i < 20; i++) await log.append(topic, [{ partition: 0, key: null, value: Buffer.from(String(i)) }]);`;
    await inThread(folder, topic, body);
    await following.until('the records of the other thread', () => found.length === 20);
  }
  await log.close();
  assert.deepEqual(
    found,
    Array.from({ length: 20 }, (_, i) => `${i}`),
  );
});

test('threads that append at once lose nothing; offsets have no holes', async () => {
  const folder = newFolder();
  const log = new SqliteEventLog(folder);
  const topic = await newTopic(log, 2);
  const body = `
    const offsets = [];
    for (let i = 0; i < 50; i++)
      offsets.push(...await log.append(topic, [0, 1, 1].map((partition) => ({ partition, key: null, value: Buffer.from('x') }))));
    return offsets.length;`;
  const counts = await Promise.all([inThread(folder, topic, body), inThread(folder, topic, body)]);
  assert.deepEqual(counts, [150, 150]);
  for (const [partition, count] of [100, 200].entries()) {
    assert.deepEqual(
      (await readAll(log, topic, partition)).map((r) => r.offset),
      Array.from({ length: count }, (_, i) => i),
    );
  }
  await log.close();
});

test('an append that fails half-way stores nothing', async () => {
  const log = new SqliteEventLog(newFolder());
  const topic = await newTopic(log, 2);
  await rejectsWith('unknown-partition', log.append(topic, [...numbered('r', 5), record('x', 2)]));
  assert.deepEqual(await log.endOffsets(topic), [0, 0]);
  assert.deepEqual(await log.append(topic, [record('y')]), [0]);
  await log.close();
});

test('an instance that has a topic open is told when another deletes it, and gets it back', async () => {
  const folder = newFolder();
  const log = new SqliteEventLog(folder);
  const other = new SqliteEventLog(folder);
  const topic = await newTopic(log);
  await other.append(topic, [record('old')]);
  await log.deleteTopic(topic);
  await rejectsWith('unknown-topic', other.append(topic, [record('lost?')]));
  await rejectsWith('unknown-topic', other.read(topic, 0, 0, 1));
  await log.createTopics([{ name: topic, partitions: 1 }]);
  await other.append(topic, [record('new')]);
  assert.deepEqual(texts(await readAll(log, topic)), ['new']);
  await other.close();
  await log.close();
});

test('a member whose lease another has taken can commit nothing more, and joins again', async () => {
  const folder = newFolder();
  const log = new SqliteEventLog(folder);
  const topic = await newTopic(log);
  await log.append(topic, numbered('r', 5));
  const group = newGroup();
  const assignments: Assignment[] = [];
  const closed: Assignment[] = [];
  const db = new DatabaseSync(join(folder, 'groups.db'));
  {
    await using member = new Running((signal) =>
      log.consume(
        {
          group,
          topics: [topic],
          open: async (assignment) => {
            assignments.push(assignment);
            return { process: async () => {}, close: async () => void closed.push(assignment) };
          },
        },
        signal,
      ),
    );
    await member.until('the partition', () => assignments.length === 1);
    await assignments[0]!.commit(3);
    const taken = db.prepare('UPDATE leases SET member = ?, expiresAt = ? WHERE "group" = ?');
    taken.run('another member', Date.now() + 9_500, group);
    await rejectsWith('not-assigned', assignments[0]!.commit(1));
    assert.deepEqual(await log.committed(group, topic), [{ offset: 3, metadata: '' }]);
    await member.until('the partition is given up', () => closed.length === 1);
    assert.equal(assignments.length, 1, 'the group is at work elsewhere');
    taken.run('another member', Date.now() - 1, group);
    await member.until('the partition again', () => assignments.length === 2);
    assert.deepEqual(assignments[1]!.committed, { offset: 3, metadata: '' });
    await assignments[1]!.commit(4);
    await member.stop();
  }
  db.close();
  await log.close();
});

test('recover lets a new process go to work without waiting for the leases of a dead one', async () => {
  const folder = newFolder();
  const log = new SqliteEventLog(folder);
  const topic = await newTopic(log);
  const group = newGroup();
  const db = new DatabaseSync(join(folder, 'groups.db'));
  db.prepare('INSERT INTO leases VALUES (?, ?, ?)').run(group, 'a dead member', Date.now() + 9_500);
  db.close();
  let opened = false;
  const process = async (): Promise<void> => {};
  {
    await using member = new Running((signal) =>
      log.consume(
        {
          group,
          topics: [topic],
          open: async () => {
            opened = true;
            return { process };
          },
        },
        signal,
      ),
    );
    await sleep(0);
    assert.equal(opened, false);
    log.recover();
    await member.until('the partition', () => opened);
  }
  await log.close();
});

test("SQLite's passing troubles are log-unavailable and retriable", () => {
  const path = join(newFolder(), 'busy.db');
  const one = new DatabaseSync(path, { timeout: 0 });
  const two = new DatabaseSync(path, { timeout: 0 });
  one.exec('BEGIN EXCLUSIVE');
  const thrownBy = (run: () => void): unknown => {
    try {
      run();
    } catch (error) {
      return error;
    }
    return assert.fail('nothing was thrown');
  };
  const busy = asEventLogError(
    thrownBy(() => two.exec('BEGIN IMMEDIATE')),
    'logs.events',
  );
  assert.ok(busy instanceof EventLogError);
  assert.deepEqual([busy.code, busy.retriable], ['log-unavailable', true]);
  const wrong = thrownBy(() => one.exec('SELEKT 1'));
  assert.equal(asEventLogError(wrong, 'logs.events'), wrong);
  one.close();
  two.close();
});
