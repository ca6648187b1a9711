import { connectLog } from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import { parseMetrics, seriesOf, type MetricFamily } from '@logloom/telemetry/testing/metrics-text';
import { parseSettings } from '../../apps/logloom/src/settings.ts';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendBatches } from '../../apps/logloom/src/send/send-batches.ts';
import type { ServerProcess } from '../../infra/local/server-process.ts';
import { startStack } from '../../infra/local/start-stack.ts';
import { assertDeclared } from '../pipeline/hold-metrics.ts';
import { loadTraffic } from '../pipeline/traffic.ts';
import { assertDrained, assertExact, assertSeen, untilStored, type Line } from './assert-exact.ts';
import { countedFilters } from './filters.ts';
import { rebuildUnderTraffic } from './rebuild-under-traffic.ts';
import { serviceNames, Services } from './services.ts';
import { Viewer } from './viewer.ts';
import { readLog } from './views.ts';

/** So many lines, unless LOGLOOM_FULL=1. */
const someLines = 8_000;
/** Of every ten lines, one comes over HTTP and the others through logs.raw. */
const httpShare = 10;
/** Of all metrics of four services with three partitions; no line of the traffic adds one. */
const mostSeries = 3_000;
const session = 'session-of-two-requests';

const stack = await startStack({ without: ['zipkin'] });
after(() => stack.stop());
const skip = Object.values(stack.missing)[0] ?? false;
const isFull = process.env['LOGLOOM_FULL'] === '1';

test(
  'four processes on Kafka, the registry, Elasticsearch, MongoDB and Redis: every event in every view, once',
  { skip },
  async (t) => {
    const traffic = loadTraffic();
    const texts = sharingSession(isFull ? traffic.lines : traffic.lines.slice(0, someLines));
    const lines = texts.map((text) => JSON.parse(text) as Line);
    t.diagnostic(`${traffic.name}: ${lines.length} of ${traffic.lines.length} lines`);
    await using services = await Services.start(stack, {
      CORRELATION_IDLE_MS: '15000',
      CORRELATION_MAX_MS: '120000',
      CORRELATION_GRACE_MS: '300000',
      // The viewer shares two slow cores with everything else; that it is never cut short is not the question here.
      LIVE_BUFFER_BYTES: String(64 * 2 ** 20),
    });
    const fewErrors = 'level:>=warn AND NOT message:*login*';
    await using viewer = await Viewer.open(services.liveUrl, fewErrors);
    await using everything = await Viewer.open(services.liveUrl, '');

    const begin = performance.now();
    const viaHttp = texts.filter((_, i) => i % httpShare === 0);
    const viaKafka = texts.filter((_, i) => i % httpShare !== 0);
    const [second, killed] = await Promise.all([services.another('indexer'), services.another('ingest')]);
    const [sent, tool, rebuilt, takenBefore] = await Promise.all([
      sendBatches(inBatches(viaHttp), { url: services.ingestUrl, onProgress: () => {} }),
      produceRaw(services, viaKafka),
      rebuildUnderTraffic(services),
      killMidway(services, killed, lines.length),
    ]);
    t.diagnostic(`one of two ingests was killed when ${takenBefore} events were in the log`);
    t.diagnostic(`rebuilt under traffic, with two indexers: ${JSON.stringify(rebuilt)}`);
    assert.deepEqual([sent.accepted, sent.rejected], [viaHttp.length, 0]);
    await untilStored(services, lines.length);
    t.diagnostic(
      `stored ${((performance.now() - begin) / 1000).toFixed(1)} s after the first was sent by ${tool}`,
    );

    try {
      const logged = await readLog(services);
      await t.test('the metrics of each service are declared, and tell lag and age', async () => {
        const families = new Map<string, MetricFamily>();
        for (const name of serviceNames)
          for (const [family, found] of parseMetrics(await services.metrics(name))) {
            const { samples = [] } = families.get(family) ?? {};
            families.set(family, { ...found, samples: [...samples, ...found.samples] });
          }
        assertDeclared(families);
        assert.ok(seriesOf(families).length < mostSeries, `${seriesOf(families).length} series`);
        const lags = families.get('logloom_consumer_lag_records')!.samples;
        assert.deepEqual(
          [...new Set(lags.map(({ labels }) => /group="(\w+)"/.exec(labels)![1]!))].toSorted(),
          ['alerts', 'correlator', 'fanout', 'indexer', 'ingest'],
        );
        const stages = families
          .get('logloom_event_age_seconds')!
          .samples.filter(({ name, value }) => name.endsWith('_count') && value > 0)
          .map(({ labels }) => /stage="(\w+)"/.exec(labels)![1]!);
        assert.deepEqual(stages.toSorted(), ['correlated', 'searchable', 'sent']);
        const listed = await fetch(`${services.liveUrl}/api/viewers`);
        const { viewers } = (await listed.json()) as { viewers: { subscriptions: { filter: string }[] }[] };
        assert.equal(viewers.length, 2);
      });
      await t.test('every filter finds what a direct count finds', async () => {
        for (const [filter, matches] of countedFilters(lines)) {
          const found = await services.get<{ total: { value: number; exact: boolean } }>(
            `/api/search?limit=1&q=${encodeURIComponent(filter)}`,
          );
          assert.deepEqual(found.total, { value: lines.filter(matches).length, exact: true }, filter);
        }
      });
      await t.test(
        'the log, the search, the archive and the requests hold exactly what was sent',
        async () => {
          const summary = await assertExact(services, logged, lines);
          const { counts } = await services.get<{ counts: Record<string, number> }>('/api/status');
          assert.equal(counts['archived'], lines.length);
          // The grace time is longer than the test: however often a request was revised, it has one document.
          assert.equal(summary.documents, summary.requests);
          assert.equal(counts['archivedCorrelations'], summary.requests);
          t.diagnostic(JSON.stringify(summary));
        },
      );
      await t.test(
        'requests that share an id are found by it, and by what their messages have in common',
        async () => {
          const sharing = [...new Set(lines.map(({ traceId }) => traceId))].slice(0, 2).toSorted();
          const find = async (query: string): Promise<string[]> => {
            const path = `/api/correlations?limit=1000&q=${encodeURIComponent(query)}`;
            const { correlations } = await services.get<{ correlations: { correlationId: string }[] }>(path);
            return correlations.map(({ correlationId }) => correlationId).toSorted();
          };
          assert.deepEqual(await find(`ids:${session}`), sharing);
          const request = await services.get<Request>(`/api/correlations/${sharing[0]!}`);
          assert.deepEqual(request.ids, [sharing[0], session]);
          assert.deepEqual(
            request.related.map(({ correlationId, shared }) => ({ correlationId, shared })),
            [{ correlationId: sharing[1], shared: [session] }],
          );
          assert.ok((await find(`shape:"${request.shape}"`)).includes(sharing[0]!), request.shape);
        },
      );
      await t.test('who watched from the start got exactly the events of the filter, once', async () => {
        const isWarning = (l: Line): boolean => ['warn', 'error', 'fatal'].includes(l.level);
        await assertSeen(viewer, logged, lines, (l) => isWarning(l) && !/login/i.test(l.message));
        await assertSeen(everything, logged, lines, () => true);
        assert.equal(viewer.connections, 1);
        t.diagnostic(`the viewer of ${fewErrors} got ${viewer.events.length} events`);
      });
    } catch (error) {
      t.diagnostic(services.logs);
      throw error;
    }
    await assertDrained(services);
    await second.kill('SIGTERM');
    assert.equal(await second.ended, 'exit code 0');
  },
);

interface Request {
  ids: string[];
  shape: string;
  related: { correlationId: string; shared: string[] }[];
}

/** The same lines; all of the first two requests carry the id of one session. */
function sharingSession(texts: readonly string[]): string[] {
  const traceIds = new Set<string>();
  return texts.map((text) => {
    const { traceId } = JSON.parse(text) as Line;
    if (traceIds.size < 2) traceIds.add(traceId);
    return traceIds.has(traceId) ? text.replace('{', `{"sessionId":"${session}",`) : text;
  });
}

/** Kills an ingest that shares logs.raw with another once a fourth of the events are in the log; returns how many are. */
async function killMidway(services: Services, ingest: ServerProcess, events: number): Promise<number> {
  for (;;) {
    const { topics: state } = await services.get<{ topics: Record<string, { end: number }[]> }>(
      '/api/status',
    );
    const taken = state[topics.events]!.reduce((sum, { end }) => sum + end, 0);
    if (taken >= events / 4) {
      await ingest.kill('SIGKILL');
      return taken;
    }
    await sleep(100);
  }
}

async function* inBatches(lines: readonly string[]): AsyncGenerator<string[]> {
  for (let i = 0; i < lines.length; i += 500) yield lines.slice(i, i + 500);
}

/** Produces the lines into logs.raw by kcat, a client that shares no code with ours, where it is installed. Gives who produced. */
async function produceRaw({ env }: Services, lines: readonly string[]): Promise<string> {
  if (spawnSync('kcat', ['-V']).status === 0) {
    const args = ['-P', '-b', env['KAFKA_BROKERS']!, '-t', topics.raw, '-X', 'acks=all'];
    const kcat = spawn('kcat', args, { stdio: ['pipe', 'inherit', 'inherit'] });
    kcat.stdin.end(`${lines.join('\n')}\n`);
    const [code] = (await once(kcat, 'exit')) as [number | null];
    assert.equal(code, 0, 'kcat');
    return 'kcat';
  }
  await using connection = await connectLog(parseSettings(env));
  const partitions = await connection.log.partitionCount(topics.raw);
  for (let i = 0; i < lines.length; i += 1_000) {
    const records = lines
      .slice(i, i + 1_000)
      .map((line, k) => ({ partition: k % partitions, key: null, value: Buffer.from(line) }));
    await connection.log.append(topics.raw, records);
  }
  return 'kafkajs';
}
