import { openArchive } from '@logloom/archive';
import { runCorrelator } from '@logloom/correlator';
import { SqliteEventLog } from '@logloom/event-log';
import { parseFilter } from '@logloom/filter';
import { runIndexer } from '@logloom/indexer';
import type { RunService } from '@logloom/runtime';
import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { memberOffsets, topics, type LogEvent } from '@logloom/schemas';
import { openSearchStore } from '@logloom/search-store';
import { parseSettings, type Settings } from '../../apps/logloom/src/settings.ts';
import { createTelemetry, type Telemetry } from '@logloom/telemetry';
import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';

const folder = temporaryFolder('gaps').path;
after(() => rmSync(folder, { recursive: true }));
const settings: Settings = parseSettings({
  LOGLOOM_DATA: folder,
  LOG_PARTITIONS: '1',
  CORRELATION_IDLE_MS: '200',
  CORRELATION_GRACE_MS: '1',
});
const log = new SqliteEventLog(join(folder, 'log'));
await log.createTopics(Object.values(topics).map((name) => ({ name, partitions: 1 })));
after(() => log.close());
const serde = await createSerde(createEmbeddedSchemaRegistry());

let sources = 0;
function append(count: number, message: string, correlationId: string): Promise<number[]> {
  const first = sources;
  sources += count;
  return appendFrom(first, count, message, correlationId);
}

/** Events of these numbers of their sender. */
function appendFrom(first: number, count: number, message: string, correlationId: string): Promise<number[]> {
  const events = Array.from({ length: count }, (_, i): LogEvent => {
    const offset = first + i;
    return {
      source: { kind: 'http', topic: 'gaps', partition: 0, offset, index: 0 },
      timestamp: 1_700_000_000_000_000 + offset,
      receivedAt: Date.now(),
      level: 'info',
      service: 'web',
      host: null,
      message,
      correlationId,
      correlationKind: 'correlationId',
      traceId: null,
      spanId: null,
      attributes: '{}',
    };
  });
  return log.append(
    topics.events,
    events.map((event) => ({ partition: 0, key: correlationId, value: serde.encode('LogEvent', event) })),
  );
}

interface Line {
  consumer: string;
  topic: string;
  from: number;
  to: number;
  records: number;
}

/** A service at work, and what it has logged as an error. */
class Running implements AsyncDisposable {
  readonly errors: Line[] = [];
  readonly telemetry: Telemetry;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(run: RunService<Settings>, service: string) {
    const telemetry = createTelemetry(service, 'silent');
    const error = (line: Line): void => void this.errors.push(line);
    const logger = Object.create(telemetry.logger) as Telemetry['logger'];
    this.telemetry = { ...telemetry, logger: Object.assign(logger, { error }) };
    const { signal } = this.#stop;
    this.#done = run({ settings, telemetry: this.telemetry, signal, onReady: () => {} });
    this.#done.catch(() => {});
  }

  gaps(): Line[] {
    return this.errors
      .filter((line) => 'consumer' in line)
      .map(({ consumer, topic, from, to, records }) => ({ consumer, topic, from, to, records }));
  }

  async metric(name: string): Promise<number> {
    const found = await this.telemetry.registry.getSingleMetric(name)!.get();
    return found.values.reduce((sum, { value }) => sum + value, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }
}

const parsed = parseFilter('*');
assert.ok(parsed.ok);
const everything = parsed.filter;

/** The ids of all events and documents in the search store, and how many the archive has. */
async function stored(): Promise<{ events: string[]; documents: string[]; archived: number }> {
  const stores = join(folder, 'stores');
  const search = await openSearchStore({ indexMode: 'standard', folder: stores, readOnly: true });
  const archive = await openArchive({ folder: stores, readOnly: true });
  try {
    const { events } = await search.search({ filter: everything, order: 'asc', limit: 1000 });
    const { correlations } = await search.correlations({ limit: 1000 });
    const archived = (await archive.counts()).events;
    return {
      events: events.map(({ id }) => id).sort(),
      documents: correlations.map(({ id }) => id).sort(),
      archived,
    };
  } finally {
    await Promise.all([search.close(), archive.close()]);
  }
}

const placed = (epoch: string, offsets: readonly number[]): string[] =>
  offsets.map((offset) => `${epoch}-0-${offset}`);

test('what was trimmed below services that were away is announced by each with exact bounds, and what follows is whole', async () => {
  const epoch = await log.epochOf(topics.events);
  const before = await append(5, 'before', 'first');
  {
    await using correlator = new Running(runCorrelator, 'correlator');
    await using indexer = new Running(runIndexer, 'indexer');
    await eventually('the first request', async () => (await stored()).documents.length === 1);
    const position = async (): Promise<number> =>
      (await log.committed('indexer', topics.events))[0]?.offset ?? 0;
    await eventually('the commits', async () => (await position()) > before.at(-1)!);
    assert.deepEqual([correlator.gaps(), indexer.gaps()], [[], []]);
  }
  const committed = await Promise.all(
    ['correlator', 'indexer'].map(async (group) => (await log.committed(group, topics.events))[0]!.offset),
  );
  await append(2000, 'lost', 'second');
  const [kept] = await append(1, 'kept', 'second');
  await log.trim(topics.events, Date.now() + 3_600_000);
  assert.deepEqual(await log.startOffsets(topics.events), [kept]);

  await using correlator = new Running(runCorrelator, 'correlator');
  await using indexer = new Running(runIndexer, 'indexer');
  await eventually('the request behind the gap', async () => (await stored()).documents.length === 2);
  const known =
    committed[0]! <= before.at(-1)! ? before.filter((offset) => offset >= committed[0]!).length : 0;
  const gap = (consumer: string, from: number, records: number): Line => ({
    consumer,
    topic: topics.events,
    from,
    to: kept!,
    records,
  });
  assert.deepEqual(correlator.gaps(), [gap('correlator', committed[0]!, kept! - committed[0]! - known)]);
  assert.deepEqual(indexer.gaps(), [gap('indexer', committed[1]!, kept! - committed[1]!)]);
  assert.equal(await indexer.metric('logloom_log_gap_records_total'), kept! - committed[1]!);
  const { events, documents, archived } = await stored();
  const left = [...before, kept!];
  assert.deepEqual(events, placed(epoch, left).sort());
  assert.deepEqual(documents, placed(epoch, [before[0]!, kept!]).sort());
  assert.equal(archived, left.length);
});

test('logs.events recreated under running services: they continue with the new one, and no id means two events', async () => {
  const old = await log.epochOf(topics.events);
  const held = await stored();
  await using services = new AsyncDisposableStack();
  services.use(new Running(runCorrelator, 'correlator'));
  services.use(new Running(runIndexer, 'indexer'));
  await append(3, 'of the old log', 'third');
  await eventually(
    'all of the old log',
    async () => (await stored()).documents.length === held.documents.length + 1,
  );
  await log.deleteTopic(topics.events);
  await log.createTopics([{ name: topics.events, partitions: 1 }]);
  const epoch = await log.epochOf(topics.events);
  assert.notEqual(epoch, old);
  // Its offsets are those of the old one over again.
  const offsets = [
    ...(await append(30, 'of the new log', 'fourth')),
    ...(await append(30, 'of the new log', 'fifth')),
  ];
  await eventually('all of the new log', async () => {
    const { events, documents } = await stored();
    const ofNew = (ids: readonly string[]): number => ids.filter((id) => id.startsWith(epoch)).length;
    return ofNew(events) === 60 && ofNew(documents) === 2;
  });
  const { events, documents, archived } = await stored();
  assert.deepEqual(
    events.filter((id) => id.startsWith(epoch)),
    placed(epoch, offsets).sort(),
  );
  assert.deepEqual(
    documents.filter((id) => id.startsWith(epoch)),
    placed(epoch, [offsets[0]!, offsets[30]!]).sort(),
  );
  assert.equal(events.filter((id) => id.startsWith(old)).length, held.events.length + 3);
  assert.equal(documents.filter((id) => id.startsWith(old)).length, held.documents.length + 1);
  assert.equal(archived, events.length);
});

test('a log that lost its end under running services: they continue, what is new counts, and its request is whole', async () => {
  const epoch = await log.epochOf(topics.events);
  const held = await stored();
  const kept = sources;
  await append(5, 'kept', 'sixth');
  const state = async (): Promise<string> => {
    const commits = await Promise.all(['correlator', 'indexer'].map((g) => log.committed(g, topics.events)));
    const position = (JSON.parse(commits[0]![0]!.metadata) as { position: number }).position;
    return [...(await log.endOffsets(topics.events)), position, commits[1]![0]!.offset].join(' ');
  };
  const isRead = async (): Promise<boolean> => new Set((await state()).split(' ')).size === 1;
  await using services = new AsyncDisposableStack();
  let correlator = services.use(new Running(runCorrelator, 'correlator'));
  let indexer = services.use(new Running(runIndexer, 'indexer'));
  await eventually(
    'the first request',
    async () => (await stored()).documents.length === held.documents.length + 1,
  );
  const firstLost = sources;
  const [cut] = await append(60, 'lost', 'seventh');
  await eventually('the second', async () => (await stored()).documents.length === held.documents.length + 2);
  await eventually('the commits', isRead);
  const [end] = await log.endOffsets(topics.events);

  const db = new DatabaseSync(join(folder, 'log', `${topics.events}.db`));
  db.prepare('DELETE FROM p0 WHERE "offset" >= ?').run(cut!);
  db.close();
  await eventually('both gaps', async () => [correlator, indexer].every((each) => each.gaps().length === 1));
  for (const [each, name] of [
    [correlator, 'correlator'],
    [indexer, 'indexer'],
  ] as const)
    assert.deepEqual(each.gaps(), [
      { consumer: name, topic: topics.events, from: cut!, to: end!, records: end! - cut! },
    ]);

  // Copies of what is still there, and what was lost, sent again.
  await appendFrom(kept, 5, 'copy', 'eighth');
  const again = await appendFrom(firstLost, 60, 'again', 'eighth');
  await append(20, 'behind', 'ninth');
  await eventually('what is behind', isRead);
  // The second start finds in its commit what it has to know.
  await services.disposeAsync();
  await using second = new AsyncDisposableStack();
  correlator = second.use(new Running(runCorrelator, 'correlator'));
  indexer = second.use(new Running(runIndexer, 'indexer'));
  await eventually(
    'both requests',
    async () => (await stored()).documents.length === held.documents.length + 4,
  );
  assert.deepEqual([correlator.gaps(), indexer.gaps()], [[], []]);
  const search = await openSearchStore({
    indexMode: 'standard',
    folder: join(folder, 'stores'),
    readOnly: true,
  });
  const { correlations } = await search.correlations({ limit: 1000 });
  await search.close();
  const members = (id: string): number[] =>
    correlations.filter(({ correlationId }) => correlationId === id).flatMap(memberOffsets);
  assert.deepEqual(members('eighth'), again);
  assert.equal(members('ninth').length, 20);
  assert.ok((await stored()).events.includes(`${epoch}-0-${members('ninth').at(-1)}`));
});
