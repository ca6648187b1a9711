import { connectLog, type LogConnection } from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import { createTelemetry, EventAges } from '@logloom/telemetry';
import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { correlateOptions } from './correlate-options.ts';
import { consumerGroup, correlatePartition, type CorrelatorDeps } from './correlate-partition.ts';
import { parseSettings } from './settings.ts';
import { createMetrics } from './telemetry.ts';
import { logEvent } from './testing/correlator-fixtures.ts';

const hourMs = 3_600_000;
const idleMs = 1000;

/** The correlator of a log whose machine has the right time, on a machine whose clock is off by `offMs`. */
class Correlator implements AsyncDisposable {
  offMs = 0;
  readonly telemetry = createTelemetry('correlator', 'error');
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor({ log, serde }: LogConnection, settings: ReturnType<typeof parseSettings>) {
    const { telemetry } = this;
    const deps: CorrelatorDeps = {
      log,
      serde,
      wanted: { rules: () => null, options: correlateOptions(settings) },
      metrics: createMetrics(telemetry),
      ages: new EventAges(telemetry, 'correlated'),
      tracing: telemetry.tracing,
      logger: telemetry.logger,
      gaps: () => assert.fail('nothing is lost'),
      joinLimit: 100,
      rulesRefreshMs: 24 * hourMs,
      nowMs: () => Date.now() + this.offMs,
    };
    this.#running = log.consume(
      {
        group: consumerGroup,
        topics: [topics.events],
        open: (assignment) => correlatePartition(deps, assignment),
      },
      this.#stop.signal,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}

async function withCorrelator(
  name: string,
  work: (
    connection: LogConnection,
    correlator: Correlator,
    append: (id: string) => Promise<void>,
  ) => Promise<void>,
): Promise<void> {
  using folder = temporaryFolder(name);
  const settings = parseSettings({
    LOGLOOM_DATA: folder.path,
    LOG_PARTITIONS: '1',
    CORRELATION_IDLE_MS: String(idleMs),
    CORRELATION_GRACE_MS: '1',
  });
  await using connection = await connectLog(settings);
  let n = 0;
  const append = async (id: string): Promise<void> => {
    const value = connection.serde.encode('LogEvent', logEvent(id, n++));
    await connection.log.append(topics.events, [{ partition: 0, key: id, value }]);
  };
  await using correlator = new Correlator(connection, settings);
  await work(connection, correlator, append);
}

test("a machine's clock that is set back by an hour while the correlator runs stops neither documents nor commits", () =>
  withCorrelator('set-back', async ({ log }, correlator, append) => {
    const isDone = (documents: number): Promise<void> =>
      eventually(`${documents} documents, and all committed`, async () => {
        const [end] = await log.endOffsets(topics.events);
        const [commit] = await log.committed(consumerGroup, topics.events);
        const [written] = await log.endOffsets(topics.correlations);
        return written === documents && commit?.offset === end;
      });
    await append('before');
    await isDone(1);
    correlator.offMs = -hourMs;
    await append('after');
    await isDone(2);
  }));

test("a machine's clock that is an hour ahead of the log's makes two or three ticks until a request closes, not one at each look", () =>
  withCorrelator('ahead', async ({ log, serde }, correlator, append) => {
    correlator.offMs = hourMs;
    await append('request');
    await eventually('the document', async () => (await log.endOffsets(topics.correlations))[0] === 1);
    const records = await log.read(topics.events, 0, 0, 1000);
    const ticks = records.filter(({ value }) => serde.nameOf(value) === 'Tick').length;
    // The first shows that the clock is ahead, the second comes when the time has passed.
    assert.ok(ticks <= 3, `${ticks} ticks`);
  }));
