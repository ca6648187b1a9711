import { parseMetrics } from '@logloom/telemetry/testing/metrics-text';
import { eventually, freePort } from '@logloom/testing';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { Pipeline } from './pipeline.ts';

const receivers = ['json', 'elasticsearch', 'loki', 'otlp', 'syslog-tcp', 'syslog-udp'];
const paths = ['searchable', 'correlated', 'sent'];
const lostAfterMs = 8_000;

/** With rounds that are short, so that the test is. */
async function createWithCanary(settings: Record<string, string> = {}): Promise<Pipeline> {
  return Pipeline.create({
    CANARY: 'on',
    CANARY_INTERVAL_MS: '400',
    CANARY_LOST_AFTER_MS: String(lostAfterMs),
    CORRELATION_IDLE_MS: '500',
    SYSLOG_PORT: String(await freePort()),
    ...settings,
  });
}

/** The sum of a metric of the canary over the series whose labels contain all of these. */
async function total(pipeline: Pipeline, name: string, ...labels: string[]): Promise<number> {
  const text = await (await fetch(`${pipeline.viewersUrl}/metrics`)).text();
  const samples = parseMetrics(text).get(`logloom_canary_${name}`)?.samples ?? [];
  return samples
    .filter((sample) => sample.name === `logloom_canary_${name}`)
    .filter((sample) => labels.every((label) => sample.labels.includes(`"${label}"`)))
    .reduce((sum, { value }) => sum + value, 0);
}

/** Waits until this many more events have arrived from every receiver on every path. */
async function untilHealthy(pipeline: Pipeline, more = 4): Promise<void> {
  const counts = async (): Promise<number[]> => {
    const all: number[] = [];
    for (const receiver of receivers)
      for (const path of paths) {
        const expected = await total(pipeline, 'expected_events_total', receiver, path);
        all.push(expected - (await total(pipeline, 'lost_events_total', receiver, path)));
      }
    return all;
  };
  const before = await counts();
  await eventually('every receiver on every path', async () =>
    (await counts()).every((count, i) => count >= before[i]! + more),
  );
}

async function assertNothingWrong(pipeline: Pipeline): Promise<void> {
  for (const name of ['lost', 'late', 'duplicated', 'disordered', 'refused'])
    assert.equal(await total(pipeline, `${name}_events_total`), 0, name);
}

test('the canary reaches store, document and viewer through every receiver, users see nothing of it, and a kill is no loss', async () => {
  await using pipeline = await createWithCanary();
  const rules = join(pipeline.dataFolder, 'rules.yaml');
  // It would alert on every event.
  writeFileSync(rules, 'rules: [{ name: everything, when: "level:>=trace", alert: true, severity: high }]');
  pipeline.env['CORRELATION_RULES'] = rules;
  await pipeline.start();

  const messages: string[] = [];
  await using viewers = new AsyncDisposableStack();
  for (const stream of ['events', 'correlations']) {
    const socket = new WebSocket(`${pipeline.viewersUrl.replace('http', 'ws')}/live`);
    viewers.defer(() => socket.terminate());
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'subscribe', id: 'a', stream, from: { last: '1h' } })),
    );
    socket.on('message', (data) => messages.push((data as Buffer).toString()));
  }
  await untilHealthy(pipeline);
  await assertNothingWrong(pipeline);
  const lastSuccess = await total(pipeline, 'last_success_timestamp_seconds', 'json', 'sent');
  assert.ok(lastSuccess > Date.now() / 1000 - 3600 && lastSuccess <= Date.now() / 1000);

  const nothing = async (): Promise<void> => {
    assert.deepEqual(await pipeline.get('/api/search'), { total: { value: 0, exact: true }, events: [] });
    assert.deepEqual(
      (await pipeline.get<{ buckets: { count: number }[] }>('/api/histogram')).buckets.filter(
        ({ count }) => count > 0,
      ),
      [],
    );
    const services = await pipeline.get<{ values: unknown[] }>('/api/fields?field=service');
    assert.deepEqual(services.values, []);
    assert.deepEqual(await pipeline.documents(), []);
    assert.deepEqual(await pipeline.get('/api/alerts'), { alerts: [] });
    assert.deepEqual(await pipeline.get('/api/dead-letters'), { deadLetters: [] });
    const { counts } = await pipeline.get<{ counts: Record<string, number> }>('/api/status');
    assert.deepEqual(new Set(Object.values(counts)), new Set([0]));
    assert.deepEqual(await pipeline.verify(), { complete: true, missing: 0 });
  };
  await nothing();
  for (const text of messages) {
    const { type, events = [], correlations = [] } = JSON.parse(text) as Record<string, unknown[]>;
    assert.deepEqual([...events, ...correlations], []);
    assert.ok(!['gap', 'error'].includes(String(type)), text);
  }
  assert.ok(messages.some((text) => text.includes('"subscribed"')));

  await pipeline.end('SIGKILL');
  await pipeline.start();
  await untilHealthy(pipeline);
  await assertNothingWrong(pipeline);
  await nothing();

  // Whoever claims to be the canary, without its secret, hides nothing.
  const message = `canary run=ab receiver=json round=1 index=0 sent=${Date.now()} seal=${'0'.repeat(32)}`;
  await pipeline.ingest(
    JSON.stringify({
      service: 'logloom-canary',
      correlationKind: 'canary',
      correlationId: 'claimed',
      message,
    }),
  );
  await eventually('the event is found', async () => {
    const { events } = await pipeline.get<{ events: { message: string }[] }>('/api/search');
    return events.length === 1 && events[0]!.message === message;
  });
  await eventually('so is its document', async () => (await pipeline.documents()).length === 1);
});

const skip = process.env['LOGLOOM_FULL'] === '1' ? false : 'slow: set LOGLOOM_FULL=1';

test(
  'a store that cannot be written shows as loss on its path alone, and as late events once it can',
  { skip },
  async () => {
    await using pipeline = await createWithCanary({ CANARY_LOST_AFTER_MS: '3000' });
    await pipeline.start();
    await untilHealthy(pipeline, 2);
    const lock = new DatabaseSync(join(pipeline.dataFolder, 'stores', 'catalog.db'), { timeout: 10_000 });
    lock.exec('BEGIN IMMEDIATE');
    await pipeline.ingest('{"service":"shop","message":"this one waits, and what comes after it"}');
    await eventually('lost', async () => (await total(pipeline, 'lost_events_total', 'searchable')) > 0);
    assert.equal(await total(pipeline, 'lost_events_total', 'sent'), 0);
    lock.exec('ROLLBACK');
    lock.close();
    await eventually('late', async () => (await total(pipeline, 'late_events_total', 'searchable')) > 0);
    await untilHealthy(pipeline, 2);
    for (const path of paths) assert.equal(await total(pipeline, 'duplicated_events_total', path), 0);
  },
);
