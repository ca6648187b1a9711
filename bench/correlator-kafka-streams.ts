import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findJava } from '../infra/local/java.ts';
import { runCommand } from '../infra/local/run-command.ts';
import { startStack } from '../infra/local/start-stack.ts';
import { oldestJava } from '../infra/local/versions.ts';
import { connectLog } from '../libs/runtime/src/index.ts';
import { topics } from '../libs/schemas/src/index.ts';
import { parseSettings } from '../apps/logloom/src/settings.ts';
import { printConditions } from './conditions.ts';
import { buildStreamsJob } from './kafka-streams/build.ts';
import { measureProcess, type Progress } from './kafka-streams/measure-process.ts';
import { recordTraffic } from './kafka-streams/record-traffic.ts';

// Grouping on Kafka: what does an event cost the correlator, and what a Kafka Streams job with session windows, on the same topic?
// Each is a process of its own on one core, from the beginning of the log until all groups are out; the broker has the other core.
// Usage: node bench/correlator-kafka-streams.ts [events] [rounds]

const wanted = Number(process.argv[2] ?? 300_000);
const rounds = Number(process.argv[3] ?? 3);
const partitions = 4;
const idleMs = 2_000;
const graceMs = 1_000;
const brokerCore = 0;
const core = 1;

const root = join(import.meta.dirname, '..');
const folder = await mkdtemp(join(tmpdir(), 'logloom-bench-'));
await using stack = await startStack({ only: ['kafka'], throughput: true });
if (stack.missing.kafka !== undefined) {
  console.log(stack.missing.kafka);
  process.exitCode = 1;
} else {
  const java = await findJava('kafka-streams', oldestJava.kafka);
  const classPath = await buildStreamsJob(
    java,
    ['SessionGrouping.java', 'Group.java'],
    new AbortController().signal,
  );
  await runCommand('taskset', ['-acp', String(brokerCore), String(stack.kafka.brokers[0]!.pid)]);
  const brokers = stack.env['KAFKA_BROKERS']!;
  const env = {
    KAFKA_BROKERS: brokers,
    LOGLOOM_DATA: folder,
    LOG_PARTITIONS: String(partitions),
    HEALTH_PORT: '19102',
    CORRELATION_IDLE_MS: String(idleMs),
    CORRELATION_MAX_MS: '600000',
    CORRELATION_GRACE_MS: String(graceMs),
  };
  await using connection = await connectLog(parseSettings(env));
  const { log, serde } = connection;
  const quietMs = idleMs + graceMs + 500;
  const { events, ids } = await recordTraffic(log, serde, partitions, wanted, quietMs);
  printConditions(
    `one broker, ${partitions} partitions, ${events} events of ${ids} ids, gap ${idleMs} ms, grace ${graceMs} ms`,
  );

  const written = (topic: string) => async (): Promise<number> =>
    (await log.endOffsets(topic)).reduce((sum, end) => sum + end, 0);
  const correlator = async (): Promise<Measured> => {
    // Its commits stay, but without its output it begins at the start of the log.
    await log.deleteTopic(topics.correlations);
    await log.createTopics([{ name: topics.correlations, partitions }]);
    const command = [process.execPath, join(root, 'services/correlator/src/main.ts')];
    return measureProcess(command, { core, env, atLeast: ids, written: written(topics.correlations) });
  };
  const streams = async (): Promise<Measured> => {
    const output = `bench-${randomUUID()}`;
    await log.createTopics([{ name: output, partitions }]);
    // A gap of exactly the idle time closes a group of ours and would still join two sessions.
    const gapMs = String(idleMs - 1);
    const schema = join(root, 'libs/schemas/avro/log-event.avsc');
    const args = [brokers, output, output, gapMs, String(graceMs), schema, folder];
    const options = ['-Xmx1g', '-XX:+UseSerialGC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];
    const command = [java, ...options, '-cp', classPath, 'SessionGrouping', ...args];
    return measureProcess(command, { core, atLeast: ids, written: written(output) });
  };

  const contenders = { correlator, 'Kafka Streams': streams };
  const results: Record<string, Cost[]> = {};
  for (let round = 0; round < rounds; round++) {
    const order = Object.entries(contenders);
    for (const [name, run] of round % 2 === 0 ? order : order.toReversed()) {
      const cost = costOf(await run(), events);
      (results[name] ??= []).push(cost);
      console.log(`round ${round + 1}: ${name}: ${describe(cost)}`);
    }
  }

  const ours = medians(results['correlator']!);
  for (const [name, costs] of Object.entries(results)) {
    const cost = medians(costs);
    console.log(
      `${name}: ${describe(cost)}; CPU an event ${(cost.cpuMicros / ours.cpuMicros).toFixed(2)} times ours, ` +
        `${(cost.warmCpuMicros / ours.warmCpuMicros).toFixed(2)} times once warm (median of ${rounds})`,
    );
  }
  const counts = new Set(Object.values(results).flatMap((costs) => costs.map(({ groups }) => groups)));
  if (counts.size !== 1) {
    console.log(`they found different numbers of groups: ${[...counts].join(', ')}`);
    process.exitCode = 1;
  }
}
await rm(folder, { recursive: true });

type Measured = Record<'third' | 'end', Progress>;

interface Cost {
  groups: number;
  eventsPerSecond: number;
  cpuMicros: number;
  /** After the first third of the groups: start and compiler are behind it. */
  warmCpuMicros: number;
}

function costOf({ third, end }: Measured, events: number): Cost {
  const warmEvents = events * (1 - third.written / end.written);
  return {
    groups: end.written,
    eventsPerSecond: (events / end.wallMs) * 1000,
    cpuMicros: (end.cpuMs / events) * 1000,
    warmCpuMicros: ((end.cpuMs - third.cpuMs) / warmEvents) * 1000,
  };
}

function medians(costs: readonly Cost[]): Cost {
  const median = (key: keyof Cost): number =>
    costs.map((cost) => cost[key]).sort((a, b) => a - b)[costs.length >> 1]!;
  return {
    groups: median('groups'),
    eventsPerSecond: median('eventsPerSecond'),
    cpuMicros: median('cpuMicros'),
    warmCpuMicros: median('warmCpuMicros'),
  };
}

function describe({ groups, eventsPerSecond, cpuMicros, warmCpuMicros }: Cost): string {
  return (
    `${groups} groups, ${(eventsPerSecond / 1000).toFixed(1)}k events/s, CPU ${cpuMicros.toFixed(1)} µs an event ` +
    `(${(1000 / cpuMicros).toFixed(0)}k events/s a core), ${warmCpuMicros.toFixed(1)} µs once warm`
  );
}
