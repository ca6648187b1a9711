import kafkajs from 'kafkajs';
import { registerCodecs } from '../../libs/event-log/src/kafka/codecs/codecs.ts';
import { recordedEvents } from './recorded-events.ts';
import type { Task } from './task.ts';

const batch = 500;

/** kafkajs alone: the records that ingest wrote, as they are, to another topic; one send() a partition at a time, as durably. */
export async function prepareBareProducer(task: Task): Promise<() => Promise<void>> {
  const partitions = (await recordedEvents(task)).map(({ records }, partition) =>
    records.map(({ key, value }) => ({ key, value, partition })),
  );
  registerCodecs();
  const producer = new kafkajs.Kafka({ brokers: task.env['KAFKA_BROKERS']!.split(',') }).producer({
    idempotent: true,
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition!,
  });
  await producer.connect();
  return async () => {
    await Promise.all(
      partitions.map(async (messages) => {
        for (let start = 0; start < messages.length; start += batch)
          await producer.send({
            topic: task.env['BARE_TOPIC']!,
            acks: -1,
            compression: kafkajs.CompressionTypes.ZSTD,
            messages: messages.slice(start, start + batch),
          });
      }),
    );
    await producer.disconnect();
  };
}
