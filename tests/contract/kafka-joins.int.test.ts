import { connectLog, type LogConnection } from '@logloom/runtime';
import { isOfEpoch, memberPlaces, topics, type Correlation, type LogEvent } from '@logloom/schemas';
import { parseSettings } from '../../apps/logloom/src/settings.ts';
import { closedPorts, eventually, freePort, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { replay } from '../../apps/logloom/src/replay/replay.ts';
import { sendBatches } from '../../apps/logloom/src/send/send-batches.ts';
import { startStack } from '../../infra/local/start-stack.ts';
import { correlateOptions } from '../../services/correlator/src/index.ts';
import { joinedRequests, pacedLines } from '../pipeline/joined-requests.ts';
import { ServiceChild } from './service-child.ts';

const skip = process.env['LOGLOOM_FULL'] === '1' ? false : 'takes minutes; LOGLOOM_FULL=1 runs it';
const kills = 50;
/** After every fifth kill it stays dead for so long that its partitions go to the other one. */
const missedMs = 12_000;
const idleMs = 4000;

test(
  'requests with several ids on Kafka, two correlators killed by turns and rebalanced: each is one document, and a replay makes the same bytes',
  { skip },
  async (t) => {
    await using stack = await startStack({ only: ['kafka', 'schema-registry'] });
    const missing = stack.missing.kafka ?? stack.missing['schema-registry'];
    if (missing !== undefined) return t.skip(missing);
    using folder = temporaryFolder('kafka-joins');
    const ingestPort = await freePort();
    const env = {
      ...stack.env,
      LOGLOOM_DATA: folder.path,
      INGEST_PORT: String(ingestPort),
      ...closedPorts,
      CORRELATION_IDLE_MS: String(idleMs),
      CORRELATION_MAX_MS: '3600000',
      CORRELATION_GRACE_MS: '3600000',
    };
    await using connection = await connectLog(parseSettings(env));
    const services = ['ingest', 'correlator', 'correlator'].map((name) => new ServiceChild(name, env));
    try {
      await Promise.all(services.map((service) => service.start()));
      const traffic = joinedRequests(4, 2500, 150_000);
      t.diagnostic(`${traffic.events.length} events of ${traffic.requests.length} requests`);
      const sent = sendBatches(pacedLines(traffic.events), {
        url: `http://127.0.0.1:${ingestPort}`,
        onProgress: () => {},
      });
      for (let kill = 0; kill < kills; kill++) {
        const service = services[1 + (kill % 2)]!;
        await sleep(200 + Math.random() * 2000);
        await service.end('SIGKILL');
        if (kill % 5 === 4) await sleep(missedMs);
        await service.start();
      }
      const { accepted } = await sent;
      assert.equal(accepted, traffic.events.length);

      const expected = traffic.requests.map(textOf).toSorted();
      await eventually(
        'every request whole',
        async () => {
          const found = requestsOf(await documents(connection), await numbers(connection));
          return found.length === expected.length && found.every((request, i) => request === expected[i]);
        },
        120_000,
      );
      // What is not shown, such as documents of ids that joined, closes as well.
      await sleep(3 * idleMs);
      for (const service of services) assert.equal(await service.end('SIGTERM'), 0);

      const replayed: Correlation[] = [];
      const options = {
        options: undefined,
        fallback: correlateOptions(parseSettings(env)),
        rules: undefined,
      };
      const range = { fromMs: undefined, toMs: undefined, signal: new AbortController().signal };
      await replay(
        { ...connection, ...options, ...range },
        {
          put: async (made) => void replayed.push(...made),
        },
      );
      assert.equal(bytesOf(replayed), bytesOf(await documents(connection)));
    } finally {
      await Promise.all(services.map((service) => service.end('SIGKILL')));
    }
  },
);

/** The documents of the log, each revision once: what a correlator that was taken for dead wrote again does not advance. */
async function documents({ log, serde }: LogConnection): Promise<Correlation[]> {
  const found: Correlation[] = [];
  const epoch = await log.epochOf(topics.events);
  const partitions = await log.partitionCount(topics.correlations);
  for (let partition = 0; partition < partitions; partition++) {
    let last: Correlation | undefined;
    for (let next = 0; ;) {
      const records = await log.read(topics.correlations, partition, next, 5000);
      if (records.length === 0) break;
      await serde.load(records.map(({ value }) => value));
      for (const record of records) {
        const { value } = serde.decode(record.value) as { value: Correlation };
        assert.ok(isOfEpoch(record, epoch));
        const isNew =
          last === undefined ||
          value.closeOffset > last.closeOffset ||
          (value.closeOffset === last.closeOffset && value.closeSequence > last.closeSequence);
        if (isNew) found.push((last = value));
      }
      next = records.at(-1)!.offset + 1;
    }
  }
  return found;
}

/** The number in the message of each event, by its place. */
async function numbers({ log, serde }: LogConnection): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const partitions = await log.partitionCount(topics.events);
  for (let partition = 0; partition < partitions; partition++)
    for (let next = 0; ;) {
      const records = await log.read(topics.events, partition, next, 5000);
      if (records.length === 0) break;
      await serde.load(records.map(({ value }) => value));
      for (const { offset, value } of records) {
        if (serde.nameOf(value) !== 'LogEvent') continue;
        const { message } = serde.decode(value).value as LogEvent;
        found.set(`${partition}/${offset}`, Number(message.split(' ')[1]));
      }
      next = records.at(-1)!.offset + 1;
    }
  return found;
}

function requestsOf(all: readonly Correlation[], byPlace: ReadonlyMap<string, number>): string[] {
  const newest = new Map(all.map((document) => [document.id, document]));
  return [...newest.values()]
    .filter(({ joinedInto }) => joinedInto === null)
    .map((document) => textOf(memberPlaces(document).map((p) => byPlace.get(`${p.partition}/${p.offset}`)!)))
    .toSorted();
}

function textOf(members: readonly number[]): string {
  return members.toSorted((a, b) => a - b).join(' ');
}

function bytesOf(all: readonly Correlation[]): string {
  return all
    .toSorted((a, b) => a.partition - b.partition)
    .map((document) => JSON.stringify(Object.entries(document).toSorted(([a], [b]) => (a < b ? -1 : 1))))
    .join('\n');
}
