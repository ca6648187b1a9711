import kafkajs from 'kafkajs';
import { randomBytes, randomUUID } from 'node:crypto';
import { startStack } from '../infra/local/start-stack.ts';
import { KafkaEventLog } from '../libs/event-log/src/kafka/kafka-event-log.ts';
import { printConditions } from './conditions.ts';

// How much of kafkajs's own speed is left behind the EventLog port? Usage: node bench/kafka.ts [records] [rounds]

const partitions = 4;
const records = Number(process.argv[2] ?? 100_000);
const batch = 500;
const rounds = Number(process.argv[3] ?? 3);
const value = Buffer.from(randomBytes(150).toString('hex'));

interface Measured {
  /** Records a second. */
  rate: number;
  /** What the client used of the processor, µs a record; the broker is another process. */
  cpu: number;
}

async function measure(work: () => Promise<void>): Promise<Measured> {
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  await work();
  const rate = records / ((performance.now() - start) / 1000);
  const { user, system } = process.cpuUsage(cpuBefore);
  return { rate, cpu: (user + system) / records };
}

const batches = Array.from({ length: records / batch }, (_, i) => i % partitions);

/** Both append to each partition in batches of 500, one in flight a partition, acks of all, idempotent, without compression. */
async function eachPartition(append: (partition: number) => Promise<unknown>): Promise<void> {
  await Promise.all(
    Array.from({ length: partitions }, async (_, partition) => {
      for (const p of batches) if (p === partition) await append(partition);
    }),
  );
}

await using stack = await startStack({ only: ['kafka'], throughput: true });
if (stack.missing.kafka !== undefined) {
  console.log(stack.missing.kafka);
  process.exitCode = 1;
} else {
  printConditions(`one broker, ${records} records of ${value.length} B, ${partitions} partitions`);
  const brokers = stack.env['KAFKA_BROKERS']!.split(',');
  const log = await KafkaEventLog.open({ brokers, compression: 'none' }, []);
  const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer({
    idempotent: true,
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition!,
  });
  await producer.connect();

  const newTopic = async (): Promise<string> => {
    const name = `bench-${randomUUID()}`;
    await log.createTopics([{ name, partitions }]);
    return name;
  };
  const ours = Array.from({ length: partitions }, (_, partition) =>
    Array.from({ length: batch }, () => ({ partition, key: null, value })),
  );
  const theirs = ours.map((list) => list.map(({ partition }) => ({ partition, value })));

  const produceOurs = (topic: string): Promise<Measured> =>
    measure(() => eachPartition((partition) => log.append(topic, ours[partition]!)));
  const produceTheirs = (topic: string): Promise<Measured> =>
    measure(() =>
      eachPartition((partition) => producer.send({ topic, acks: -1, messages: theirs[partition]! })),
    );

  const consumeOurs = (topic: string): Promise<Measured> =>
    measure(async () => {
      const stop = new AbortController();
      let seen = 0;
      const process = async (found: readonly unknown[]): Promise<void> => {
        seen += found.length;
        if (seen === records) stop.abort();
      };
      await log.consume(
        { group: randomUUID(), topics: [topic], open: async () => ({ process }) },
        stop.signal,
      );
    });
  const consumeTheirs = (topic: string): Promise<Measured> =>
    measure(async () => {
      const done = Promise.withResolvers<void>();
      const consumer = kafka.consumer({ groupId: randomUUID() });
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      let seen = 0;
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch: { messages } }) => {
          seen += messages.length;
          if (seen === records) done.resolve();
        },
      });
      await done.promise;
      await consumer.disconnect();
    });

  const results: Record<string, Measured[]> = {};
  // The first round warms the broker up; each round swaps the order.
  for (let round = 0; round <= rounds; round++) {
    const topics = { ours: await newTopic(), theirs: await newTopic() };
    const measured: [string, () => Promise<Measured>][] = [
      ['produce ours', () => produceOurs(topics.ours)],
      ['produce kafkajs', () => produceTheirs(topics.theirs)],
      ['consume ours', () => consumeOurs(topics.ours)],
      ['consume kafkajs', () => consumeTheirs(topics.theirs)],
    ];
    if (round % 2 === 1) measured.unshift(measured.splice(1, 1)[0]!);
    if (round % 2 === 1) measured.push(measured.splice(2, 1)[0]!);
    for (const [name, run] of measured) {
      const result = await run();
      if (round > 0) (results[name] ??= []).push(result);
    }
  }
  const median = (name: string, key: keyof Measured): number =>
    results[name]!.map((result) => result[key]).toSorted((a, b) => a - b)[rounds >> 1]!;
  for (const what of ['produce', 'consume']) {
    const line = (who: string): string =>
      `${(median(`${what} ${who}`, 'rate') / 1000).toFixed(0)}k/s at ${median(`${what} ${who}`, 'cpu').toFixed(1)} µs of CPU`;
    const ratio = (key: keyof Measured): string =>
      (median(`${what} ours`, key) / median(`${what} kafkajs`, key)).toFixed(2);
    console.log(
      `${what}: ${line('ours')} through EventLog, ${line('kafkajs')} with kafkajs alone: rate ${ratio('rate')}, CPU ${ratio('cpu')} of it`,
    );
  }
  console.log(`median of ${rounds}; a consumer's rate includes joining its group`);
  await producer.disconnect();
  await log.close();
}
