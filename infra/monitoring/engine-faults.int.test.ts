import { connectLog } from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import { Client } from '@elastic/elasticsearch';
import { eventually, whileFrozen } from '@logloom/testing';
import { Kafka, logLevel } from 'kafkajs';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../apps/logloom/src/settings.ts';
import { serviceNames, Services } from '../../tests/production/services.ts';
import { startStack } from '../local/start-stack.ts';
import { clears, eventLines, fires, firesDuring, keepDoing } from './testing/faults.ts';
import { PrometheusServer, skipUnless } from './testing/prometheus-server.ts';

const skip = skipUnless(process.env['LOGLOOM_FULL'] === '1', 'makes these faults: they take minutes');

/** The number of Kafka's protocol for a topic's configuration. */
const topicResource = 2;

test('a real Prometheus: alerts about the log and the stores, on real engines', { skip }, async (t) => {
  await using stack = await startStack({ only: ['kafka', 'elasticsearch'] });
  const missing = stack.missing.kafka ?? stack.missing.elasticsearch;
  if (missing !== undefined) return t.skip(missing);
  await using services = await Services.start(stack, {
    LOG_PARTITIONS: '1',
    LOG_RETENTION_MS: String(7 * 86_400_000),
    CORRELATION_IDLE_MS: '1000',
    CORRELATION_GRACE_MS: '1000',
  });
  await using connection = await connectLog(parseSettings(services.env));
  const { log } = connection;
  const hosts = serviceNames.map((name) => `127.0.0.1:${services.of(name).port}`);
  await using prometheus = await PrometheusServer.start(...hosts);
  const send = async (body: string): Promise<void> => {
    const headers = { 'content-type': 'application/x-ndjson' };
    const response = await fetch(`${services.ingestUrl}/ingest`, { method: 'POST', headers, body });
    assert.equal(response.status, 200, await response.text());
  };
  /** Until every group has read all there is, and the correlator waits for no late event any more. */
  const isRead = (): Promise<void> =>
    eventually('all read', async () => {
      const { consumers } = await services.get<{ consumers: { committed: number | null; end: number }[] }>(
        '/api/status',
      );
      return consumers.every(({ committed, end }) => (committed ?? 0) === end);
    });

  /** Appends a record of logs.events again, as a broker would whose clock shows `timestampMs`. */
  const appendAt = async (timestampMs: number): Promise<void> => {
    const [start] = await log.startOffsets(topics.events);
    const [record] = await log.read(topics.events, 0, start!, 1);
    const kafka = new Kafka({
      brokers: services.env['KAFKA_BROKERS']!.split(','),
      logLevel: logLevel.NOTHING,
    });
    const admin = kafka.admin();
    const producer = kafka.producer();
    await Promise.all([admin.connect(), producer.connect()]);
    const stampedBy = (value: 'CreateTime' | 'LogAppendTime') =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: topicResource,
            name: topics.events,
            configEntries: [{ name: 'message.timestamp.type', value }],
          },
        ],
      });
    await stampedBy('CreateTime');
    await producer.send({
      topic: topics.events,
      messages: [
        { partition: 0, key: record!.key, value: record!.value, timestamp: String(Math.floor(timestampMs)) },
      ],
    });
    await stampedBy('LogAppendTime');
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  };

  await t.test('Elasticsearch frozen and the correlator away for longer than two minutes', async () => {
    await using always = new AsyncDisposableStack();
    always.use(keepDoing(() => send(eventLines(5, 'shop'))));
    always.use(keepDoing(() => fetch(`${services.apiUrl}/api/search`).then((response) => response.text())));
    const { pid } = stack.elasticsearch;
    const during = [
      'LogloomStoreUnavailable',
      'LogloomApiErrorBudget',
      'LogloomNotReady',
      'LogloomDown',
      'LogloomConsumerLagGrows',
      'LogloomConsumerLag',
    ];
    const after = ['LogloomSearchableAge', 'LogloomCorrelatedAge'];
    await services.of('correlator').stop();
    await whileFrozen([pid!], () => fires(prometheus, ...during));
    await services.of('correlator').start();
    await fires(prometheus, ...after);
    await clears(prometheus, ...during, ...after);
  });

  await t.test('records that leave the log before the correlator reads them', async () => {
    await firesDuring(prometheus, ['LogloomRecordsLost'], async () => {
      await isRead();
      await whileFrozen([services.of('correlator').pid!], async () => {
        for (let i = 0; i < 4; i++) await send(eventLines(500, 'lost'));
        await log.trim(topics.events, Date.now() + 1);
      });
    });
  });

  await t.test('records that are no records', async () => {
    await firesDuring(prometheus, ['LogloomUndecodableRecords', 'LogloomIndexerDeadLetters'], async () => {
      await log.append(topics.events, [{ partition: 0, key: null, value: Buffer.from('garbage') }]);
    });
  });

  await t.test('an event that somebody deletes from the search index', async () => {
    await send(eventLines(10, 'shop'));
    await isRead();
    const verify = async (refill: boolean): Promise<void> => {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ refill });
      const response = await fetch(`${services.apiUrl}/api/jobs/verify`, { method: 'POST', headers, body });
      assert.equal(response.status, 202);
    };
    const elasticsearch = new Client({ node: services.env['ELASTICSEARCH_URL']! });
    await eventually('an event found', async () => {
      const { hits } = await elasticsearch.search({ index: '*', q: 'service.name:shop', size: 1 });
      const [found] = hits.hits;
      if (found === undefined) return false;
      await elasticsearch.delete({ index: found._index, id: found._id!, refresh: true });
      return true;
    });
    await verify(false);
    await fires(prometheus, 'LogloomViewIncomplete');
    await verify(true);
    await clears(prometheus, 'LogloomViewIncomplete');
    await elasticsearch.close();
  });

  await t.test('a broker whose clock is ahead', async () => {
    await firesDuring(prometheus, ['LogloomClockAhead'], async (faults) => {
      await appendAt(Date.now() + 60_000);
      faults.defer(() => send(eventLines(1, 'shop')));
    });
  });

  await t.test('a partition that moves to a broker whose clock is behind', async () => {
    await clears(prometheus, 'LogloomClockSetBack');
    await firesDuring(prometheus, ['LogloomClockSetBack'], async () => {
      await appendAt(Date.now() + 60_000);
      await send(eventLines(1, 'shop'));
    });
  });

  await t.test('a record that nobody has read for 13 hours', async () => {
    await isRead();
    await firesDuring(prometheus, ['LogloomUnreadRecordsOld'], async (faults) => {
      await services.of('correlator').stop();
      await appendAt(Date.now() - 13 * 3_600_000);
      // It looks at its start, and hourly.
      await services.of('indexer').restart();
      faults.defer(async () => {
        await services.of('correlator').start();
        await isRead();
        await services.of('indexer').restart();
      });
    });
  });
});
