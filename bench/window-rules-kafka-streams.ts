import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseSettings } from '../apps/logloom/src/settings.ts';
import { findJava } from '../infra/local/java.ts';
import { runCommand } from '../infra/local/run-command.ts';
import { startStack } from '../infra/local/start-stack.ts';
import { oldestJava } from '../infra/local/versions.ts';
import { partitionOf, type EventLog } from '../libs/event-log/src/index.ts';
import { parseRules } from '../libs/rules/src/rules-file.ts';
import { connectLog } from '../libs/runtime/src/index.ts';
import type { Serde } from '../libs/schema-registry/src/index.ts';
import { topics } from '../libs/schemas/src/index.ts';
import { printConditions } from './conditions.ts';
import { buildStreamsJob } from './kafka-streams/build.ts';
import { measureProcess, type Progress } from './kafka-streams/measure-process.ts';

// One rule over many events on Kafka: errors by host in tumbling windows. What does an event cost us, and what a Kafka Streams job that groups by
// host through a topic of its own? Each is a process of its own on one core, from the beginning of the log until all is out; the broker has the
// other core. What both found is compared with a count of the log.
// Usage: node bench/window-rules-kafka-streams.ts [events] [rounds]

const wanted = Number(process.argv[2] ?? 300_000);
const rounds = Number(process.argv[3] ?? 2);
const partitions = 4;
const hosts = 20_000;
const windowMs = 5000;
/** Long enough that nothing is late, whichever partition is read first. */
const graceMs = 3_600_000;
const enough = 3;
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
  const classPath = await buildStreamsJob(java, ['WindowCount.java'], new AbortController().signal);
  await runCommand('taskset', ['-acp', String(brokerCore), String(stack.kafka.brokers[0]!.pid)]);
  const brokers = stack.env['KAFKA_BROKERS']!;
  const env = {
    KAFKA_BROKERS: brokers,
    LOGLOOM_DATA: folder,
    LOG_PARTITIONS: String(partitions),
    CORRELATION_RULES: 'in-the-log.yaml',
  };
  await using connection = await connectLog(parseSettings(env));
  const { log, serde } = connection;
  await record(log, serde);
  const { pairs, firings } = await count(log, serde);
  printConditions(
    `one broker, ${partitions} partitions, ${wanted} events, 3 of 10 errors, ${hosts} hosts, tumbling windows of ${windowMs} ms, at least ${enough}`,
  );

  const written = (topic: string) => async (): Promise<number> =>
    (await log.endOffsets(topic)).reduce((sum, end) => sum + end, 0);
  const ours = async (): Promise<Measured> => {
    // Without what it wrote it begins at the start of the log.
    for (const name of [topics.windows, topics.alerts]) {
      await log.deleteTopic(name);
      await log.createTopics([{ name, partitions }]);
    }
    const command = [process.execPath, join(root, 'bench/window-rules/window-rules.child.ts')];
    return measureProcess(command, { core, env, atLeast: firings, written: written(topics.alerts) });
  };
  const streams = async (): Promise<Measured> => {
    const output = `bench-${randomUUID()}`;
    await log.createTopics([{ name: output, partitions }]);
    const schema = join(root, 'libs/schemas/avro/log-event.avsc');
    const args = [brokers, output, output, String(windowMs), String(graceMs), String(enough), schema, folder];
    const options = ['-Xmx1g', '-XX:+UseSerialGC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];
    const command = [java, ...options, '-cp', classPath, 'WindowCount', ...args];
    const measured = await measureProcess(command, { core, atLeast: pairs, written: written(output) });
    if (measured.end.written !== pairs)
      console.log(`Kafka Streams wrote ${measured.end.written} of ${pairs} windows`);
    return measured;
  };

  const contenders = { ours, 'Kafka Streams': streams };
  for (let round = 0; round < rounds; round++) {
    const order = Object.entries(contenders);
    for (const [name, run] of round % 2 === 0 ? order : order.toReversed()) {
      const { end } = await run();
      const cpuMicros = (end.cpuMs / wanted) * 1000;
      console.log(
        `round ${round + 1}: ${name}: ${end.written} records, ${((wanted / end.wallMs) * 1000).toFixed(0)} events/s, ` +
          `CPU ${cpuMicros.toFixed(1)} µs an event (${(1000 / cpuMicros).toFixed(0)}k events/s a core)`,
      );
    }
  }
  console.log(`a count of the log: ${pairs} windows with enough errors, ${firings} alerts that fire`);
}
await rm(folder, { recursive: true });

type Measured = Record<'third' | 'end', Progress>;

/** The rule and the events, and when the last window is over something in each partition. */
async function record(log: EventLog, serde: Serde): Promise<void> {
  const text = `rules: [{ name: errors, when: level:error, by: [host], window: { tumbling: ${windowMs / 1000}s }, if: count >= ${enough} }]\n`;
  const parsed = parseRules(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const { version } = parsed.rules;
  const rules = Array.from({ length: partitions }, (_, partition) => ({
    partition,
    key: null,
    value: serde.encode('Rules', { version, text, options: null }),
  }));
  await log.append(topics.events, rules);
  let seed = 7;
  const random = (): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff) / 0x80000000;
  let offset = 0;
  const event = (host: string, level: 'error' | 'info') => {
    const key = `request-${Math.floor(offset / 5)}`;
    const value = serde.encode('LogEvent', {
      source: { kind: 'http', topic: 'bench', partition: 0, offset: offset++, index: 0 },
      timestamp: Date.now() * 1000,
      receivedAt: Date.now(),
      level,
      service: 'bench',
      host,
      message: 'request handled in 17 ms',
      correlationId: key,
      correlationKind: 'traceId',
      traceId: key,
      spanId: null,
      attributes: '{"status":200,"path":"/cart"}',
    });
    return { partition: partitionOf(key, partitions), key, value };
  };
  for (let i = 0; i < wanted; i += 3000) {
    const batch = Array.from({ length: Math.min(3000, wanted - i) }, () =>
      event(`host-${Math.floor(random() * hosts)}`, random() < 0.3 ? 'error' : 'info'),
    );
    await log.append(topics.events, batch);
    // About 30,000 events a second, so that there are several windows.
    await sleep(100);
  }
  await sleep(windowMs + 1000);
  await log.append(
    topics.events,
    Array.from({ length: 200 }, (_, i) => event(`end-${i}`, 'error')),
  );
}

/** How many windows of a host have enough errors, and in how many of them the alert begins. */
async function count(log: EventLog, serde: Serde): Promise<{ pairs: number; firings: number }> {
  const counts = new Map<string, Map<number, number>>();
  for (let partition = 0; partition < partitions; partition++) {
    for (let next = 0; ;) {
      const records = await log.read(topics.events, partition, next, 5000);
      if (records.length === 0) break;
      await serde.load(records.map(({ value }) => value));
      for (const { value, timestampMs } of records) {
        const decoded = serde.decode(value);
        if (decoded.name !== 'LogEvent' || decoded.value.level !== 'error') continue;
        const host = decoded.value.host ?? '';
        const windows = counts.get(host) ?? new Map<number, number>();
        const window = Math.floor(timestampMs / windowMs);
        counts.set(host, windows.set(window, (windows.get(window) ?? 0) + 1));
      }
      next = records.at(-1)!.offset + 1;
    }
  }
  let pairs = 0;
  let firings = 0;
  for (const windows of counts.values())
    for (const [window, errors] of windows) {
      if (errors < enough) continue;
      pairs++;
      if ((windows.get(window - 1) ?? 0) < enough) firings++;
    }
  return { pairs, firings };
}
