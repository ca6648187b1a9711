import { Kafka, logLevel, type Producer } from 'kafkajs';
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Stack } from './running-stack.ts';
import { startStack } from './start-stack.ts';

const single = await startStack({ only: ['kafka'] });
after(() => single.stop());
const skip = single.missing.kafka ?? false;
const topic = 'local-stack-test';

test('a broker that is killed comes back on its port with its records', { skip }, async () => {
  const [broker] = single.kafka.brokers;
  const kafka = clientOf(single);
  await createTopic(kafka);
  await produce(kafka, (producer) => send(producer, ['a', 'b', 'c']));
  const before = { port: broker!.port, pid: broker!.pid };

  await broker!.kill('SIGKILL');
  assert.equal(broker!.pid, undefined);
  await broker!.restart();

  assert.equal(broker!.port, before.port);
  assert.notEqual(broker!.pid, before.pid);
  assert.deepEqual(await valuesOf(kafka, 3), ['a', 'b', 'c']);
});

function clientOf(stack: Stack): Kafka {
  const brokers = stack.env['KAFKA_BROKERS']!.split(',');
  return new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 100, maxRetryTime: 500 } });
}

async function createTopic(kafka: Kafka): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
  await admin.disconnect();
}

async function produce(kafka: Kafka, use: (producer: Producer) => Promise<void>): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  await use(producer).finally(() => producer.disconnect());
}

async function send(producer: Producer, values: string[]): Promise<void> {
  await producer.send({ topic, acks: -1, messages: values.map((value) => ({ value })) });
}

/** The first values of the topic; a send whose answer was lost may have come twice, which counts once. */
async function valuesOf(kafka: Kafka, count: number): Promise<string[]> {
  const consumer = kafka.consumer({ groupId: 'local-stack-test' });
  const values = new Set<string>();
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ message }) => {
          values.add(message.value!.toString());
          if (values.size === count) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return [...values];
}
