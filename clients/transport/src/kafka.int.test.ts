import assert from 'node:assert/strict';
import kafkajs from 'kafkajs';
import { after, test } from 'node:test';
import { startStack } from '../../../infra/local/start-stack.ts';
import { eventually } from '../../../tests/pipeline/pipeline.ts';
import { Transport } from './index.js';

const stack = await startStack({ only: ['kafka'] });
const skip = stack.missing.kafka ?? false;
after(() => stack.stop());

test('on Kafka every line is there, in order, though the broker is away for a while', { skip }, async () => {
  const brokers = stack.env['KAFKA_BROKERS']!.split(',');
  const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic: 'logs.raw', numPartitions: 3 }] });
  await admin.disconnect();

  const transport = new Transport({ kafka: { brokers }, lingerMs: 1, batchLines: 50, onProblem: () => {} });
  const count = 600;
  for (let n = 0; n < count / 2; n++) transport.write({ message: `line ${n}` });
  await eventually('the first are there', async () => transport.stats.sent > 0);
  await stack.kafka.brokers[0]!.kill();
  for (let n = count / 2; n < count; n++) transport.write({ message: `line ${n}` });
  await eventually('it noticed', async () => transport.stats.retries > 0);
  await stack.kafka.brokers[0]!.restart();
  assert.equal(await transport.close(120_000), true);
  assert.equal(transport.stats.sent, count);

  const consumer = kafka.consumer({ groupId: 'reader' });
  await consumer.connect();
  await consumer.subscribe({ topic: 'logs.raw', fromBeginning: true });
  const lines: string[] = [];
  const partitions = new Set<number>();
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      partitions.add(partition);
      lines.push((JSON.parse(message.value!.toString()) as { message: string }).message);
    },
  });
  await eventually('all of them', async () => new Set(lines).size === count);
  await consumer.disconnect();
  // A batch that was under way when the broker was killed may be there twice.
  assert.deepEqual(
    [...new Set(lines)],
    Array.from({ length: count }, (_, n) => `line ${n}`),
  );
  assert.equal(partitions.size, 1, 'one process, one partition');
});
