import { outOfRange, type FollowOptions } from '../event-log.ts';
import { KafkaFeeds, type FeedDeps } from './feed.ts';

const defaultBatch = 1000;

/** As EventLog.follow, for a topic with that many partitions. */
export async function follow(
  deps: FeedDeps,
  partitions: number,
  options: FollowOptions,
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const feeds = new KafkaFeeds(deps);
  const topicId = await deps.epochs.refresh(options.topic);
  let turn: Promise<unknown> = Promise.resolve();

  const followPartition = async (partition: number): Promise<void> => {
    const feed = feeds.open(options.topic, topicId, partition, options.from[partition] ?? 0);
    stop.addEventListener('abort', feed.close, { once: true });
    try {
      while (!stop.aborted) {
        const records = await feed.take(options.maxRecords ?? defaultBatch);
        const gap = feed.takeGap();
        if (gap !== undefined && options.onGap === undefined) throw outOfRange(gap);
        if (records.length === 0 && gap === undefined) continue;
        const mine = turn.then(async () => {
          if (stop.aborted) return;
          if (gap !== undefined) await options.onGap!(gap);
          else await options.onBatch(records, partition);
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
