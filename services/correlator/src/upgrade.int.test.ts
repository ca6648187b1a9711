import { connectLog } from '@logloom/runtime';
import { createEmbeddedSchemaRegistry, subjectOf } from '@logloom/schema-registry';
import { memberOffsets, parseSchema, topics, versionPath, type Correlation } from '@logloom/schemas';
import { parseSettings } from './settings.ts';
import { createTelemetry } from '@logloom/telemetry';
import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCorrelator } from './run-correlator.ts';
import { logEvent } from './testing/correlator-fixtures.ts';

const minuteMs = 60_000;

/** A value as a release wrote it that knew only the first version of the schema. */
async function oldValue(name: 'Rules' | 'Correlation', value: object): Promise<Buffer> {
  const schema = readFileSync(versionPath(name, 1), 'utf8');
  const header = Buffer.alloc(5);
  header.writeUInt32BE(await createEmbeddedSchemaRegistry().register(subjectOf(name), schema), 1);
  return Buffer.concat([header, parseSchema(schema).toBuffer(value)]);
}

for (const { rulesText, idleMinutes } of [
  { rulesText: undefined, idleMinutes: 60 },
  { rulesText: '', idleMinutes: 60 },
  { rulesText: 'rules: []\n', idleMinutes: 60 },
  { rulesText: undefined, idleMinutes: 20 },
  { rulesText: 'rules: []\n', idleMinutes: 300 },
]) {
  const rules =
    rulesText === undefined ? 'without records of rules' : `with rules of ${rulesText.length} characters`;
  test(`a log of a release that knew no options, ${rules}, idle time 60 min then and ${idleMinutes} min now: the open request continues, and nothing is written twice`, async (t) => {
    using folder = temporaryFolder('upgrade');
    const settings = parseSettings({
      LOGLOOM_DATA: folder.path,
      LOG_PARTITIONS: '1',
      CORRELATION_IDLE_MS: String(idleMinutes * minuteMs),
      CORRELATION_MAX_MS: String(600 * minuteMs),
      CORRELATION_GRACE_MS: String(minuteMs),
    });
    await using connection = await connectLog(settings);
    const { log, serde } = connection;
    const start = Date.now() - 120 * minuteMs;
    let n = 0;
    const appendAt = async (
      minutes: number,
      value: Buffer,
      topic: string = topics.events,
    ): Promise<number> => {
      t.mock.method(Date, 'now', () => start + minutes * minuteMs);
      const appended = log.append(topic, [{ partition: 0, key: 'k', value }]);
      t.mock.restoreAll();
      return (await appended)[0]!;
    };
    const event = (id: string): Buffer => serde.encode('LogEvent', logEvent(id, n++));
    const tick = (): Buffer => serde.encode('Tick', { dueAt: 0 });

    // As it was when the older release stopped.
    await appendAt(
      0,
      rulesText === undefined ? tick() : await oldValue('Rules', { version: 'v', text: rulesText }),
    );
    await appendAt(0, event('done'));
    await appendAt(1, event('open'));
    await appendAt(2, event('done'));
    await appendAt(61, event('open'));
    const closedBy = await appendAt(63, tick());
    await appendAt(100, event('open'));
    const written = {
      id: '0-1',
      correlationId: 'done',
      kind: 'traceId',
      partition: 0,
      revision: 1,
      closeReason: 'idle',
      firstOffset: 1,
      memberDeltas: [0, 2],
      closeOffset: closedBy,
      closeSequence: 0,
      firstAt: 1_700_000_000_000_000,
      lastAt: 1_700_000_000_000_002,
      services: [],
      levels: {},
      rules: [],
      severity: null,
      firstClosedAt: start + 62 * minuteMs,
    };
    await appendAt(63, await oldValue('Correlation', written), topics.correlations);
    const stopped = new AbortController();
    const old = { output: 0, sources: [], ...(rulesText === undefined ? {} : { rules: 0 }), position: 7 };
    await log.consume(
      {
        group: 'correlator',
        topics: [topics.events],
        open: async ({ commit }) => {
          await commit(2, JSON.stringify(old));
          return { process: async () => {}, idle: async () => stopped.abort() };
        },
      },
      stopped.signal,
    );

    const run = async (until: () => Promise<boolean>): Promise<void> => {
      const stop = new AbortController();
      const telemetry = createTelemetry('correlator', 'error');
      const running = runCorrelator({ settings, telemetry, signal: stop.signal, onReady: () => {} });
      const deadline = Date.now() + 60_000;
      while (!(await until())) {
        assert.ok(Date.now() < deadline, 'in time');
        await Promise.race([sleep(20), running]);
      }
      stop.abort();
      await running;
    };
    const position = async (): Promise<number> => {
      const [commit] = await log.committed('correlator', topics.events);
      return (JSON.parse(commit!.metadata) as { position: number }).position;
    };
    const isRead = async (): Promise<boolean> =>
      (await position()) === (await log.endOffsets(topics.events))[0];
    await run(async () => (await isRead()) && (await log.endOffsets(topics.events))[0]! > 7);
    await appendAt(121, event('open'));
    const last = await appendAt(200, event('last'));
    await appendAt(2000, tick());
    // Grace ends as well.
    await appendAt(2010, tick());
    await run(async () => {
      const [commit] = await log.committed('correlator', topics.events);
      return commit!.offset === (await log.endOffsets(topics.events))[0];
    });

    const output = await log.read(topics.correlations, 0, 0, 10);
    await serde.load(output.map(({ value }) => value));
    const documents = output.map(({ value }) => serde.decode(value).value as Correlation);
    const input = await log.read(topics.events, 0, 0, 100);
    await serde.load(input.map(({ value }) => value));
    const decoded = input.map(({ offset, value }) => ({ offset, ...serde.decode(value) }));
    const events = decoded.filter(({ name }) => name === 'LogEvent').map(({ offset }) => offset);
    const newest = [...new Map(documents.map((document) => [document.firstOffset, document])).values()];
    const members = newest.flatMap((document) => memberOffsets(document));
    assert.deepEqual(
      members.toSorted((a, b) => a - b),
      events,
      'each event is in exactly one document',
    );
    const closes = documents.map(({ closeOffset, closeSequence }) => [closeOffset, closeSequence]);
    assert.deepEqual(
      closes,
      closes.toSorted((x, y) => x[0]! - y[0]! || x[1]! - y[1]!),
      'written in order of closing',
    );
    assert.equal(new Set(documents.map((d) => `${d.firstOffset}/${d.revision}`)).size, documents.length);
    if (idleMinutes === 60)
      assert.deepEqual(
        documents.map(({ correlationId, closeOffset }) => [correlationId, closeOffset]),
        [
          ['done', closedBy],
          ['open', last],
          ['last', documents[2]!.closeOffset],
        ],
      );
    // From now on the log says it.
    const options = decoded.filter(({ name, value }) => name === 'Rules' && value.options !== null);
    assert.ok(options.length >= 1);
    assert.ok(options[0]!.offset >= 7);
  });
}
