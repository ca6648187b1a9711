import { connectLog } from '@logloom/runtime';
import { memberOffsets, topics, type Correlation } from '@logloom/schemas';
import { createTelemetry } from '@logloom/telemetry';
import { captureLog, eventually, logEvent, temporaryFolder } from '@logloom/testing';
import { Kafka, logLevel } from 'kafkajs';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../apps/logloom/src/settings.ts';
import { startStack } from '../../infra/local/start-stack.ts';
import { runCorrelator } from '../../services/correlator/src/index.ts';

const skip = process.env['LOGLOOM_FULL'] === '1' ? false : 'starts Kafka for one test: LOGLOOM_FULL=1';
const hourMs = 3_600_000;
/** The number of Kafka's protocol for a topic's configuration. */
const topicResource = 2;

test(
  'a partition of Kafka whose broker is five hours ahead, and then is not: its requests close, those of the other partition are whole',
  { skip },
  async (t) => {
    await using stack = await startStack({ only: ['kafka'] });
    if (stack.missing.kafka !== undefined) return t.skip(stack.missing.kafka);
    using folder = temporaryFolder('kafka-clock');
    const settings = parseSettings({
      ...stack.env,
      LOGLOOM_DATA: folder.path,
      LOG_PARTITIONS: '2',
      CORRELATION_IDLE_MS: '5000',
      CORRELATION_GRACE_MS: '1000',
    });
    await using connection = await connectLog(settings);
    const { log, serde } = connection;
    const kafka = new Kafka({ brokers: settings.KAFKA_BROKERS!, logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    const producer = kafka.producer();
    await Promise.all([admin.connect(), producer.connect()]);
    await using cleanUp = new AsyncDisposableStack();
    cleanUp.defer(() => admin.disconnect());
    cleanUp.defer(() => producer.disconnect());
    let n = 0;
    const valueOf = (correlationId: string): Buffer =>
      serde.encode('LogEvent', logEvent(n++, { correlationId, correlationKind: 'traceId' }));
    const append = (partition: number, id: string): Promise<number[]> =>
      log.append(topics.events, [{ partition, key: id, value: valueOf(id) }]);
    const stampedBy = (...configEntries: { name: string; value: string }[]): Promise<void> =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: topicResource, name: topics.events, configEntries }],
      });
    /** As a broker appends it whose clock is ahead. */
    const appendAhead = async (partition: number, id: string, aheadMs: number): Promise<void> => {
      await stampedBy(
        { name: 'message.timestamp.type', value: 'CreateTime' },
        { name: 'message.timestamp.after.max.ms', value: String(2 * aheadMs) },
      );
      const timestamp = String(Date.now() + aheadMs);
      await producer.send({
        topic: topics.events,
        messages: [{ partition, key: id, value: valueOf(id), timestamp }],
      });
      await stampedBy({ name: 'message.timestamp.type', value: 'LogAppendTime' });
    };

    const telemetry = createTelemetry('correlator', 'error');
    const captured = captureLog();
    const stop = new AbortController();
    const running = runCorrelator({
      settings,
      telemetry: { ...telemetry, logger: captured as never },
      signal: stop.signal,
      onReady: () => {},
    });
    cleanUp.defer(() => {
      stop.abort();
      return running;
    });
    await append(0, 'before');
    await append(1, 'other');
    await appendAhead(0, 'ahead', 5 * hourMs);
    await append(0, 'after');
    await append(1, 'other');
    await eventually('every request written, and all committed', async () => {
      const ends = await log.endOffsets(topics.events);
      const commits = await log.committed('correlator', topics.events);
      const written = (await log.endOffsets(topics.correlations)).reduce((sum, end) => sum + end, 0);
      return written === 4 && commits.every((commit, p) => commit?.offset === ends[p]);
    });
    const documents: Correlation[] = [];
    for (const partition of [0, 1]) {
      const records = await log.read(topics.correlations, partition, 0, 100);
      await serde.load(records.map(({ value }) => value));
      documents.push(...records.map(({ value }) => serde.decode(value).value as Correlation));
    }
    assert.deepEqual(
      documents.map((document) => [document.correlationId, memberOffsets(document).length]),
      [
        ['before', 1],
        ['ahead', 1],
        ['after', 1],
        ['other', 2],
      ],
    );
    const setbacks = await telemetry.registry
      .getSingleMetric('logloom_correlator_clock_setbacks_total')!
      .get();
    assert.equal(setbacks.values[0]!.value, 1);
    assert.ok(captured.lines.some(({ message }) => message?.includes('append times of the log decreased')));
  },
);
