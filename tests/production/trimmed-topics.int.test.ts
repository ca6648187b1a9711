import { connectLog, type LogConnection } from '@logloom/runtime';
import { memberOffsets, placeId, topics } from '@logloom/schemas';
import { parseSettings } from '../../apps/logloom/src/settings.ts';
import { eventually, freeze, unfreeze } from '@logloom/testing';
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStack } from '../../infra/local/start-stack.ts';
import { Services, serviceNames, type ServiceName } from './services.ts';
import { Viewer } from './viewer.ts';
import { allDocuments, searchedPlaces } from './views.ts';

const stack = await startStack({ only: ['kafka'] });
const skip = stack.missing.kafka ?? false;
after(() => stack.stop());

/** A gap as a service announces it in its log. */
interface Announced {
  consumer: string;
  topic: string;
  partition: number;
  from: number;
  to: number;
  reason: string;
  records: number;
}

describe('topics of Kafka under running services', { skip }, () => {
  let services: Services;
  let connection: LogConnection;
  const cleanUp = new AsyncDisposableStack();
  let sent = 0;

  before(async () => {
    services = cleanUp.use(
      await Services.start(stack, {
        LOG_PARTITIONS: '1',
        CORRELATION_IDLE_MS: '1000',
        CORRELATION_MAX_MS: '20000',
        CORRELATION_GRACE_MS: '1000',
      }),
    );
    connection = cleanUp.use(await connectLog(parseSettings(services.env)));
  });
  after(() => cleanUp.disposeAsync());

  /** Sends `count` events of one request; returns their offsets. */
  async function send(traceId: string, count: number): Promise<number[]> {
    const [first] = await connection.log.endOffsets(topics.events);
    const lines = Array.from({ length: count }, () =>
      JSON.stringify({ message: `event ${sent++}`, service: 'shop', traceId }),
    );
    const response = await fetch(`${services.ingestUrl}/ingest`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.join('\n'),
    });
    assert.deepEqual(
      [response.status, ((await response.json()) as { accepted: number }).accepted],
      [200, count],
    );
    const offsets: number[] = [];
    for (let next = first!; offsets.length < count;) {
      const records = await connection.log.read(topics.events, 0, next, 1_000);
      await connection.serde.load(records.map(({ value }) => value));
      for (const { offset, value } of records) {
        const { name, value: event } = connection.serde.decode(value);
        if (name === 'LogEvent' && event.correlationId === traceId) offsets.push(offset);
      }
      next = records.at(-1)!.offset + 1;
    }
    return offsets;
  }

  const announcedBy = (name: ServiceName): Announced[] => {
    const { logFile } = services.of(name);
    if (!existsSync(logFile)) return [];
    return readFileSync(logFile, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Announced)
      .filter((line) => line.consumer !== undefined);
  };
  const membersOf = async (correlationId: string): Promise<number[]> =>
    (await allDocuments(services))
      .filter((document) => document.correlationId === correlationId)
      .flatMap(({ members }) => members)
      .sort((a, b) => a - b);
  const assertRunning = (pids: ReadonlyMap<ServiceName, number | undefined>): void => {
    for (const [name, pid] of pids) assert.equal(services.of(name).pid, pid, `${name} has not ended`);
  };
  const pidsNow = (): Map<ServiceName, number | undefined> =>
    new Map(serviceNames.map((name) => [name, services.of(name).pid]));
  const searched = async (): Promise<string[]> => (await searchedPlaces(services)).sort();
  const remake = async (topic: string): Promise<void> => {
    await connection.log.deleteTopic(topic);
    await connection.log.createTopics([{ name: topic, partitions: 1 }]);
  };

  test('logs.events trimmed below readers that are held up: each says which records it never gets, and lacks exactly those', async (t) => {
    const pids = pidsNow();
    await using viewer = await Viewer.open(services.liveUrl, '*');
    const epoch = await connection.log.epochOf(topics.events);
    const early = await send('early', 5);
    await eventually('the first request', async () => (await membersOf('early')).length === early.length);
    await eventually('seen', async () => viewer.events.length === early.length);
    const readers = ['correlator', 'indexer', 'fanout'] as const;
    const held = readers.map((name) => services.of(name).pid!);
    let lost: number[] = [];
    let kept: number[] = [];
    try {
      await freeze(...held);
      for (let i = 0; i < 4; i++) lost = lost.concat(await send('lost', 500));
      const newest = (await connection.log.read(topics.events, 0, lost.at(-1)!, 1))[0]!.timestampMs;
      while (Date.now() <= newest) await sleep(1);
      kept = await send('kept', 7);
      const [record] = await connection.log.read(topics.events, 0, kept[0]!, 1);
      await connection.log.trim(topics.events, record!.timestampMs);
      assert.deepEqual(await connection.log.startOffsets(topics.events), [kept[0]]);
    } finally {
      unfreeze(...held);
    }
    await eventually('the last request', async () => (await membersOf('kept')).length === kept.length);
    await eventually('seen', async () => viewer.events.at(-1)?.offset === kept.at(-1));
    const gapOf = (name: ServiceName, consumer: string): Announced => {
      const found = announcedBy(name).filter((gap) => gap.consumer === consumer);
      assert.equal(found.length, 1, `${consumer}: ${JSON.stringify(found)}`);
      assert.deepEqual(
        [found[0]!.topic, found[0]!.reason, found[0]!.to],
        [topics.events, 'trimmed', kept[0]],
      );
      return found[0]!;
    };
    const had = ({ from }: { from: number }): number[] => [
      ...early,
      ...lost.filter((offset) => offset < from),
      ...kept,
    ];
    const indexer = gapOf('indexer', 'indexer');
    const places = had(indexer).map((offset) => `${placeId(epoch, 0, offset)} 0/${offset}`);
    assert.deepEqual(await searched(), places.sort());
    const { counts } = await services.get<{ counts: Record<string, number> }>('/api/status');
    assert.equal(counts['archived'], places.length);
    const correlator = gapOf('correlator', 'correlator');
    assert.deepEqual(
      await membersOf('lost'),
      lost.filter((offset) => offset < correlator.from),
    );
    const fanout = gapOf('fanout', 'live events');
    const missed = viewer.complaints.reduce((sum, { missed: count = 0 }) => sum + count, 0);
    // From where the fan-out lost them, viewers are given what the archive has.
    assert.deepEqual(
      viewer.complaints.map(({ type, reason }) => `${type} ${reason}`),
      ['gap retention'],
    );
    const seen = new Set(viewer.events.map(({ offset }) => offset));
    assert.equal(seen.size, viewer.events.length);
    assert.deepEqual(
      [...seen].sort((a, b) => a - b),
      had({ from: Math.max(fanout.from, indexer.from) }),
    );
    t.diagnostic(
      `lost to indexer, correlator, fan-out: ${[indexer, correlator, fanout].map((gap) => gap.records).join(', ')}`,
    );
    assert.equal(missed, kept[0]! - Math.max(fanout.from, indexer.from));
    assertRunning(pids);
  });

  test('logs.events recreated: everybody continues with the new one, viewers are told, and no id means two events', async () => {
    const pids = pidsNow();
    await using viewer = await Viewer.open(services.liveUrl, '*');
    const old = await connection.log.epochOf(topics.events);
    const before = await searched();
    await remake(topics.events);
    const epoch = await connection.log.epochOf(topics.events);
    assert.notEqual(epoch, old);
    const first = await send('anew', 40);
    await eventually(
      'the request of the new log',
      async () => (await membersOf('anew')).length === first.length,
    );
    await eventually('the viewer is told', async () =>
      viewer.complaints.some(({ reason }) => reason === 'epoch'),
    );
    const second = await send('anew-2', 30);
    await eventually('seen', async () => viewer.events.at(-1)?.offset === second.at(-1));
    await eventually('the second request', async () => (await membersOf('anew-2')).length === second.length);
    const places = [...first, ...second].map((offset) => `${placeId(epoch, 0, offset)} 0/${offset}`);
    assert.deepEqual(await searched(), [...before, ...places].sort());
    const ids = viewer.events.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const id of ids) assert.ok(id.startsWith(epoch), `${id} is of ${epoch}`);
    assertRunning(pids);
  });

  test('logs.correlations recreated under traffic: every request is in it whole', async () => {
    const pids = pidsNow();
    const requests = new Map<string, number[]>();
    const sending = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const id = `traffic-${requests.size}`;
        requests.set(id, await send(id, 3));
        await sleep(50);
      }
    };
    await sending(40);
    await Promise.all([sending(120), sleep(1_000).then(() => remake(topics.correlations))]);
    await eventually('every request in search', async () => {
      const documents = await allDocuments(services);
      return [...requests.keys()].every((id) => documents.some((d) => d.correlationId === id));
    });
    // What a reader takes from the topic, which is what a view is made of that is filled again.
    const inTopic = async (): Promise<Map<string, number[]>> => {
      const { log, serde } = connection;
      const found = new Map<string, number[]>();
      let last = [-1, -1];
      const [end] = await log.endOffsets(topics.correlations);
      const [start] = await log.startOffsets(topics.correlations);
      for (let next = start!; next < end!;) {
        const records = await log.read(topics.correlations, 0, next, 1_000);
        if (records.length === 0) break;
        await serde.load(records.map(({ value }) => value));
        for (const { value } of records) {
          const decoded = serde.decode(value);
          if (decoded.name !== 'Correlation') continue;
          const { closeOffset, closeSequence, correlationId } = decoded.value;
          // A reader drops what is not ahead.
          if (closeOffset < last[0]! || (closeOffset === last[0] && closeSequence <= last[1]!)) continue;
          last = [closeOffset, closeSequence];
          found.set(correlationId, memberOffsets(decoded.value));
        }
        next = records.at(-1)!.offset + 1;
      }
      return found;
    };
    await eventually('every request in the topic', async () => {
      const found = await inTopic();
      return [...requests.keys()].every((id) => found.has(id));
    });
    const found = await inTopic();
    for (const [id, offsets] of requests) assert.deepEqual(found.get(id), offsets, id);
    for (const [id, offsets] of requests) assert.deepEqual(await membersOf(id), offsets, id);
    assertRunning(pids);
  });
});
