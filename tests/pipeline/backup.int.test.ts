import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkBackup } from '../../apps/logloom/src/backup/check-backup.ts';
import { createBackup } from '../../apps/logloom/src/backup/create-backup.ts';
import { whyNotUsable, type BackupManifest } from '../../apps/logloom/src/backup/manifest.ts';
import { restoreBackup } from '../../apps/logloom/src/backup/restore-backup.ts';
import { version } from '../../apps/logloom/src/version.ts';
import { eventually, Pipeline } from './pipeline.ts';

const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');
const signal = new AbortController().signal;
const settings = {
  LOG_PARTITIONS: '2',
  API_THREADS: '1',
  CORRELATION_IDLE_MS: '800',
  CORRELATION_GRACE_MS: '300',
};
const eventsOfRequest = 3;
const isShort = process.env['LOGLOOM_FULL'] === '1' ? false : 'set LOGLOOM_FULL=1';

interface Found {
  id: string;
  message: string;
  traceId: string;
}

interface Poll {
  cursor: string;
  resumed: boolean;
  events: Found[];
  gaps: { reason: string }[];
}

async function run(env: Record<string, string>, ...args: string[]) {
  const child = spawn(process.execPath, [main, ...args], { env });
  let [out, errors] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, errors };
}

/** Sends numbered events until it is stopped; three make a request. None may be refused. */
class SteadyTraffic implements AsyncDisposable {
  readonly acknowledged: number[] = [];
  next: number;
  readonly #pipeline: Pipeline;
  readonly #stop = new AbortController();
  readonly #sending: Promise<void>;

  constructor(pipeline: Pipeline, first = 0) {
    this.#pipeline = pipeline;
    this.next = first;
    this.#sending = this.#send();
    this.#sending.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#sending;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {});
  }

  async #send(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const numbers = Array.from({ length: 15 }, () => this.next++);
      const lines = numbers.map((n) =>
        JSON.stringify({ message: `e${n}`, service: 'kept', traceId: `t${Math.floor(n / eventsOfRequest)}` }),
      );
      const answer = await this.#pipeline.ingest(lines.join('\n'));
      assert.equal(answer.status, 200);
      this.acknowledged.push(...numbers);
      await sleep(20);
    }
  }
}

/** Every event by its message; fails where one is found twice. */
async function allEvents(pipeline: Pipeline): Promise<Map<string, Found>> {
  const found = new Map<string, Found>();
  for (let cursor = ''; ;) {
    const page: { events: Found[]; next?: string } = await pipeline.get(
      `/api/search?q=service:kept&limit=1000${cursor}`,
    );
    for (const event of page.events) {
      assert.ok(!found.has(event.message), `${event.message} was found twice`);
      found.set(event.message, event);
    }
    if (page.next === undefined || page.events.length === 0) return found;
    cursor = `&cursor=${encodeURIComponent(page.next)}`;
  }
}

async function count(pipeline: Pipeline): Promise<number> {
  const { total } = await pipeline.get<{ total: { value: number } }>('/api/search?q=service:kept&limit=1');
  return total.value;
}

function poll(pipeline: Pipeline, from: string): Promise<Poll> {
  return pipeline.get(`/live/poll?filter=service:kept&wait=1000&from=${encodeURIComponent(from)}`);
}

async function sendNumbered(pipeline: Pipeline): Promise<{ accepted: number; duplicates?: number }> {
  const line = JSON.stringify({ message: 'numbered', service: 'numbered', traceId: 'numbered' });
  const answer = await pipeline.ingest(line, {
    'logloom-producer': 'p1',
    'logloom-sequence': '7',
  });
  return (await answer.json()) as { accepted: number; duplicates?: number };
}

/** A small disk of its own; undefined where this user may not mount. */
function mountDisk(folder: string, mebibytes: number): Disposable | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'logloom-test', folder], {
      stdio: 'pipe',
    });
  } catch {
    return undefined;
  }
  return { [Symbol.dispose]: () => void execFileSync('umount', ['-l', folder]) };
}

test('a backup under traffic, restored after a kill: each event that was acknowledged before is found once, nothing is invented, no id comes twice', async (t) => {
  await using original = await Pipeline.create(settings);
  await using second = await Pipeline.create(settings);
  using place = temporaryFolder('backup');
  const backup = join(place.path, 'backup');
  await original.start();
  let before: number[];
  let cursors: { before: string; after: string };
  let originals: Map<string, Found>;
  {
    await using traffic = new SteadyTraffic(original);
    assert.equal((await sendNumbered(original)).accepted, 1);
    await eventually('some events', async () => traffic.acknowledged.length > 300);
    cursors = { before: (await poll(original, 'now')).cursor, after: '' };
    before = [...traffic.acknowledged];
    // Slow enough that much is written meanwhile.
    const made = await run(original.env, 'backup', backup, '--rate', '4', '--json');
    assert.equal(made.code, 0, made.errors);
    const result = JSON.parse(made.out) as {
      files: number;
      log: { topics: Record<string, { ends: number[] }> };
    };
    const during = traffic.acknowledged.length;
    assert.ok(during > before.length, 'events were accepted meanwhile');
    const inBackup = result.log.topics['logs.events']!.ends.reduce((sum, end) => sum + end, 0);
    assert.ok(inBackup >= before.length);
    const again = { dataFolder: original.dataFolder, folder: backup, rate: Infinity, version };
    await assert.rejects(createBackup(again, signal), { code: 'backup-folder', message: /is not empty/ });
    await assert.rejects(createBackup({ ...again, folder: join(original.dataFolder, 'b') }, signal), {
      code: 'backup-folder',
      message: /is inside the data folder/,
    });
    await backupsWithoutRoom(original, t);
    await eventually('more events', async () => traffic.acknowledged.length > during + 150);
    cursors.after = (await poll(original, 'now')).cursor;
    await traffic.stop();
    await eventually(
      'all are searchable',
      async () => (await count(original)) === traffic.acknowledged.length,
    );
    originals = await allEvents(original);
    await original.end('SIGKILL');
  }
  for (const name of readdirSync(backup, { recursive: true, encoding: 'utf8' })) {
    const stat = statSync(join(backup, name));
    assert.equal(stat.mode & 0o777, stat.isDirectory() ? 0o700 : 0o600, name);
  }
  const manifest = readFileSync(join(backup, 'backup.json'), 'utf8');
  const verified = await run({ ...original.env, LOGLOOM_DATA: backup }, 'verify', '--offline', '--json');
  assert.equal(verified.code, 0, verified.out + verified.errors);
  assert.equal((JSON.parse(verified.out) as { views: object[] }).views.length, 4);

  assertCut(backup);

  await refusals(backup, place.path);
  const restored = await run(second.env, 'restore', backup, '--json');
  assert.equal(restored.code, 0, restored.errors);
  assert.equal(readFileSync(join(backup, 'backup.json'), 'utf8'), manifest);
  await second.start();
  await second.untilDone();
  const kept = await allEvents(second);
  for (const n of before) assert.equal(kept.get(`e${n}`)?.id, originals!.get(`e${n}`)?.id, `e${n}`);
  for (const message of kept.keys()) assert.ok(originals!.has(message), `${message} was never sent`);
  assert.ok(kept.size < originals!.size, 'the backup is older than the kill');

  // A viewer that had got to somewhere in the backup continues there; what one had seen of what is lost is a gap.
  const resumed = await pollAll(second, cursors.before);
  assert.deepEqual([resumed.isResumed, resumed.gaps], [true, []]);
  assert.ok(resumed.messages.every((message) => kept.has(message)));
  const isGap = async (): Promise<void> =>
    assert.deepEqual(
      (await poll(second, cursors.after)).gaps.map(({ reason }) => reason),
      ['epoch'],
    );
  await isGap();

  assert.deepEqual(await sendNumbered(second), { accepted: 0, duplicates: 1, rejected: [] });
  {
    await using traffic = new SteadyTraffic(second, 3 * 100_000);
    await eventually('new events', async () => traffic.acknowledged.length > 200);
    await traffic.stop();
    assert.deepEqual(await sendNumbered(second), { accepted: 0, duplicates: 1, rejected: [] });
    const on = await pollAll(second, resumed.cursor);
    assert.deepEqual([on.isResumed, on.gaps], [true, []]);
    assert.deepEqual(new Set(on.messages), new Set(traffic.acknowledged.map((n) => `e${n}`)));
    await isGap();
    await second.untilDone();
    const now = await allEvents(second);
    assert.equal(now.size, kept.size + traffic.acknowledged.length);
    const given = new Set([...originals!.values()].map(({ id }) => id));
    for (const n of traffic.acknowledged)
      assert.ok(!given.has(now.get(`e${n}`)!.id), 'an id was given out twice');
    await documentsHold(second, now);
  }
  assert.deepEqual(await second.verify(), { complete: true, missing: 0 });
  assert.equal(await second.end('SIGTERM'), 0);
  // Again, over what is there: what was there is kept, and the ids of that restore are not given out either.
  const options = { folder: backup, dataFolder: second.dataFolder, version };
  await assert.rejects(restoreBackup({ ...options, force: false }, signal), { code: 'data-not-empty' });
  const { movedTo } = await restoreBackup({ ...options, force: true }, signal);
  assert.ok(existsSync(join(movedTo ?? '', 'log/logs.events.db')));
  assert.deepEqual(
    readdirSync(second.dataFolder).filter((name) => name.startsWith('restore')),
    [],
  );
});

test(
  'backups under traffic whose snapshots are taken one by one over a second: nothing in one is ahead of what it is made of',
  { skip: isShort },
  async (t) => {
    await using pipeline = await Pipeline.create(settings);
    await pipeline.start();
    await using traffic = new SteadyTraffic(pipeline);
    using place = temporaryFolder('backups');
    let before: number[] = [];
    for (let n = 0; n < 5; n++) {
      const folder = join(place.path, String(n));
      before = [...traffic.acknowledged];
      const onSnapshot = (): Promise<void> => sleep(100);
      const options = { dataFolder: pipeline.dataFolder, folder, rate: Infinity, version, onSnapshot };
      const { log } = await createBackup(options, signal);
      assert.ok(sum(log.topics['logs.events']!.ends) >= before.length);
      assertCut(folder);
    }
    await traffic.stop();
    await pipeline.end('SIGKILL');
    await using second = await Pipeline.create(settings);
    const options = { folder: join(place.path, '4'), dataFolder: second.dataFolder, force: false, version };
    await restoreBackup(options, signal);
    await second.start();
    await second.untilDone();
    const found = await allEvents(second);
    for (const n of before) assert.ok(found.has(`e${n}`), `e${n} is missing`);
    await documentsHold(second, found);
    assert.deepEqual(await second.verify(), { complete: true, missing: 0 });
    t.diagnostic(`${traffic.acknowledged.length} events, none refused`);
  },
);

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Compares what the files of a backup say about the log with the log in it. */
function assertCut(folder: string): void {
  const { log } = JSON.parse(readFileSync(join(folder, 'backup.json'), 'utf8')) as BackupManifest;
  const isWithin = (file: string, sql: string): void => {
    const db = new DatabaseSync(join(folder, file), { readOnly: true });
    const rows = db.prepare(sql).all() as { topic: string; partition: number; end: number }[];
    db.close();
    for (const { topic, partition, end } of rows)
      assert.ok(end <= log.topics[topic]!.ends[partition]!, `${file} is ahead: ${topic}/${partition} ${end}`);
  };
  isWithin('log/groups.db', 'SELECT topic, partition, "offset" AS "end" FROM commits');
  isWithin('stores/catalog.db', 'SELECT topic, partition, "offset" AS "end" FROM filled');
  isWithin(
    'stores/catalog.db',
    `SELECT 'logs.events' AS topic, partition, max(last) + 1 AS "end" FROM places JOIN slices ON slices.seq = places.slice
     WHERE kind = 'events' GROUP BY partition`,
  );
  isWithin(
    'stores/catalog.db',
    `SELECT 'logs.events' AS topic, json_extract(value, '$.partition') AS partition, max(json_extract(value, '$.offset')) + 1 AS "end"
     FROM recent, json_each(recent.events) GROUP BY 2`,
  );
  isWithin(
    'stores/catalog.db',
    `SELECT 'logs.events' AS topic, json_extract(document, '$.partition') AS partition,
       max(json_extract(document, '$.closeOffset')) + 1 AS "end" FROM documents GROUP BY 2`,
  );
  // Commits are not ahead of the views either: what those lack is not taken for lost.
  const marks = new DatabaseSync(join(folder, 'stores/catalog.db'), { readOnly: true });
  const filled = marks
    .prepare(`SELECT topic, partition, "offset" FROM filled WHERE view = 'search'`)
    .all() as {
    topic: string;
    partition: number;
    offset: number;
  }[];
  marks.close();
  const groups = new DatabaseSync(join(folder, 'log/groups.db'), { readOnly: true });
  for (const { topic, partition, offset } of filled) {
    const commit = groups
      .prepare(`SELECT "offset" FROM commits WHERE "group" = 'indexer' AND topic = ? AND partition = ?`)
      .get(topic, partition) as { offset: number } | undefined;
    assert.ok(
      (commit?.offset ?? 0) <= offset,
      `${topic}/${partition} is committed ahead of the search store`,
    );
  }
  groups.close();
}

/** Everything from a cursor on that is there now. */
async function pollAll(pipeline: Pipeline, from: string) {
  const messages: string[] = [];
  const gaps: object[] = [];
  let cursor = from;
  let isResumed = true;
  for (;;) {
    const page = await poll(pipeline, cursor);
    messages.push(...page.events.map(({ message }) => message));
    gaps.push(...page.gaps);
    isResumed &&= page.resumed;
    cursor = page.cursor;
    if (page.events.length === 0) return { messages, gaps, cursor, isResumed };
  }
}

/** Each request has one document, of all its events. */
async function documentsHold(pipeline: Pipeline, events: ReadonlyMap<string, Found>): Promise<void> {
  const expected = new Map<string, number>();
  for (const { traceId } of events.values()) expected.set(traceId, (expected.get(traceId) ?? 0) + 1);
  const found = new Map<string, number>();
  for (const { correlationId, eventCount } of await pipeline.documents<{
    id: string;
    correlationId: string;
    eventCount: number;
  }>()) {
    if (correlationId !== 'numbered') found.set(correlationId, (found.get(correlationId) ?? 0) + eventCount);
  }
  assert.deepEqual(
    [...found].sort(([a], [b]) => (a < b ? -1 : 1)),
    [...expected].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** A disk that is too small, and one that fills up meanwhile. */
async function backupsWithoutRoom(
  pipeline: Pipeline,
  t: { diagnostic: (text: string) => void },
): Promise<void> {
  using small = temporaryFolder('small');
  using disk = mountDisk(small.path, 24);
  if (disk === undefined)
    return t.diagnostic('backups to a full disk are not tested: this user may not mount');
  const folder = join(small.path, 'backup');
  const ballast = join(small.path, 'ballast');
  const options = { dataFolder: pipeline.dataFolder, folder, rate: Infinity, version };
  const fill = (bytes: number): void => {
    try {
      writeFileSync(ballast, Buffer.alloc(bytes));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    }
  };
  fill(12 * 2 ** 20);
  await assert.rejects(createBackup(options, signal), { code: 'backup-no-room', message: /needs \d+ MiB/ });
  rmSync(ballast);
  const onProgress = (): void => fill(24 * 2 ** 20);
  await assert.rejects(createBackup({ ...options, onProgress }, signal), {
    code: 'backup-no-room',
    message: /the disk is full/,
  });
  assert.deepEqual(readdirSync(small.path), ['ballast'], 'nothing is left of it');
  assert.ok(pipeline.isRunning);
}

/** What is no sound backup is not restored, and nothing is changed then. */
async function refusals(backup: string, place: string): Promise<void> {
  const folder = join(place, 'other');
  const dataFolder = join(place, 'data');
  const restore = (by = version): Promise<unknown> =>
    restoreBackup({ folder, dataFolder, force: false, version: by }, signal);
  cpSync(backup, folder, { recursive: true });
  const file = join(folder, 'log/logs.events.db');
  const bytes = readFileSync(file);
  bytes[Math.floor(bytes.length / 2)]! ^= 1;
  writeFileSync(file, bytes);
  await assert.rejects(restore(), { code: 'backup-damaged', message: /log\/logs\.events\.db is damaged/ });
  assert.deepEqual(readdirSync(dataFolder), ['lock.db']);
  assert.deepEqual(await checkBackup(folder, version, signal), [
    { file: 'log/logs.events.db', faults: ['its SHA-256 is another one'] },
  ]);
  await assert.rejects(restore('0.0.9'), { code: 'backup-too-new', message: /was made by Logloom/ });
  const started = await run({ ...process.env, LOGLOOM_DATA: folder }, 'up');
  assert.deepEqual([started.code, /is a backup; restore it/.test(started.errors)], [2, true], started.errors);
  rmSync(join(folder, 'backup.json'));
  await assert.rejects(restore(), { code: 'backup-incomplete' });
  writeFileSync(join(dataFolder, 'restore.incomplete'), '');
  assert.match(whyNotUsable(dataFolder) ?? '', /is not complete; run logloom restore --force/);
}
