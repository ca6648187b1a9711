import type { FollowOptions } from './event-log.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import type { KafkaSettings } from './kafka-options.ts';
import { KafkaFeeds } from './kafka-feed.ts';

const defaultBatch = 1000;

/** As EventLog.follow, for a topic with that many partitions. */
export async function follow(
  connection: KafkaConnection,
  partitions: number,
  settings: KafkaSettings,
  options: FollowOptions,
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const feeds = new KafkaFeeds(connection, settings);
  let turn: Promise<unknown> = Promise.resolve();

  const followPartition = async (partition: number): Promise<void> => {
    const feed = feeds.open(options.topic, partition, options.from[partition] ?? 0);
    stop.addEventListener('abort', feed.close, { once: true });
    try {
      while (!stop.aborted) {
        const records = await feed.take(options.maxRecords ?? defaultBatch);
        if (records.length === 0) continue;
        const mine = turn.then(async () => {
          if (!stop.aborted) await options.onBatch(records, partition);
        });
        turn = mine.catch(() => {});
        await mine;
      }
    } finally {
      feed.close();
    }
  };

  const work = Array.from({ length: partitions }, (_, partition) => followPartition(partition));
  for (const task of work) task.catch(() => failed.abort());
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}
