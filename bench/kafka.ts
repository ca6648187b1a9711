import kafkajs from 'kafkajs';
import { randomBytes, randomUUID } from 'node:crypto';
import { startStack } from '../infra/local/start-stack.ts';
import { KafkaEventLog } from '../libs/event-log/src/kafka.ts';
import { printConditions } from './conditions.ts';

// How much of kafkajs's own speed is left behind the EventLog port? Usage: node bench/kafka.ts

const partitions = 4;
const records = 100_000;
const batch = 500;
const rounds = 3;
const value = Buffer.from(randomBytes(150).toString('hex'));

/** Runs `work` and gives records a second. */
async function rate(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return records / ((performance.now() - start) / 1000);
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

  const produceOurs = (topic: string): Promise<number> =>
    rate(() => eachPartition((partition) => log.append(topic, ours[partition]!)));
  const produceTheirs = (topic: string): Promise<number> =>
    rate(() =>
      eachPartition((partition) => producer.send({ topic, acks: -1, messages: theirs[partition]! })),
    );

  const consumeOurs = (topic: string): Promise<number> =>
    rate(async () => {
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
  const consumeTheirs = (topic: string): Promise<number> =>
    rate(async () => {
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

  const results: Record<string, number[]> = {};
  // The first round warms the broker up; each round swaps the order.
  for (let round = 0; round <= rounds; round++) {
    const topics = { ours: await newTopic(), theirs: await newTopic() };
    const measured: [string, () => Promise<number>][] = [
      ['produce ours', () => produceOurs(topics.ours)],
      ['produce kafkajs', () => produceTheirs(topics.theirs)],
      ['consume ours', () => consumeOurs(topics.ours)],
      ['consume kafkajs', () => consumeTheirs(topics.theirs)],
    ];
    if (round % 2 === 1) measured.unshift(measured.splice(1, 1)[0]!);
    if (round % 2 === 1) measured.push(measured.splice(2, 1)[0]!);
    for (const [name, measure] of measured) {
      const measuredRate = await measure();
      if (round > 0) (results[name] ??= []).push(measuredRate);
    }
  }
  const median = (name: string): number => results[name]!.toSorted((a, b) => a - b)[rounds >> 1]!;
  for (const what of ['produce', 'consume']) {
    const [mine, bare] = [median(`${what} ours`), median(`${what} kafkajs`)];
    console.log(
      `${what}: ${(mine / 1000).toFixed(0)}k/s through EventLog, ${(bare / 1000).toFixed(0)}k/s with kafkajs alone: ` +
        `${(mine / bare).toFixed(2)} (median of ${rounds}; a consumer's rate includes joining its group)`,
    );
  }
  await producer.disconnect();
  await log.close();
}
