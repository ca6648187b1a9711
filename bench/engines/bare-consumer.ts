import { topics } from '@logloom/schemas';
import kafkajs from 'kafkajs';
import { randomUUID } from 'node:crypto';
import { registerCodecs } from '../../libs/event-log/src/kafka/codecs/codecs.ts';
import type { Task } from './task.ts';

/** kafkajs alone: it reads logs.events from its beginning, and commits. */
export function prepareBareConsumer(task: Task): () => Promise<void> {
  registerCodecs();
  const kafka = new kafkajs.Kafka({
    brokers: task.env['KAFKA_BROKERS']!.split(','),
    logLevel: kafkajs.logLevel.NOTHING,
  });
  return async () => {
    const consumer = kafka.consumer({ groupId: randomUUID() });
    await consumer.connect();
    await consumer.subscribe({ topic: topics.events, fromBeginning: true });
    const done = Promise.withResolvers<void>();
    let read = 0;
    await consumer.run({
      eachBatch: async ({ batch: { messages } }) => {
        if ((read += messages.length) === task.events) done.resolve();
      },
    });
    await done.promise;
    await consumer.disconnect();
  };
}
