import { outOfRange, type FollowOptions, type LogGap, type LogRecord, type Trouble } from '../event-log.ts';
import type { AppendNotifier } from './append-notifier.ts';
import { gapBefore, offsetAfter } from './gap-before.ts';
import { damageRetryMs, isLogDamage } from './log-damage.ts';
import type { OpenTopics } from './open-topics.ts';
import { epochNow, topicRecreated } from './topic-epoch.ts';
import { yieldToIo } from './yield-to-io.ts';

const defaultBatch = 1000;
const idleMs = 100;

export interface FollowDeps {
  topics: OpenTopics;
  notifier: AppendNotifier;
  onTrouble: (trouble: Trouble) => void;
}

/** As EventLog.follow(). A partition that cannot be read is retried every few seconds; the others continue. */
export async function follow(
  { topics, notifier, onTrouble }: FollowDeps,
  options: FollowOptions,
  signal: AbortSignal,
): Promise<void> {
  const topic = await topics.readable(options.topic, signal);
  if (topic === undefined) return;
  const epoch = epochNow(topic);
  const next = topic.perPartition((p) => options.from[p] ?? 0);
  const damagedUntil = new Map<number, number>();
  while (!signal.aborted) {
    let found = false;
    for (let p = 0; p < topic.partitionCount && !signal.aborted; p++) {
      if ((damagedUntil.get(p) ?? 0) > Date.now()) continue;
      let records: LogRecord[];
      let gap: LogGap | undefined;
      try {
        records = topic.read(p, next[p]!, options.maxRecords ?? defaultBatch);
        gap = gapBefore(topic, p, next[p]!, records);
      } catch (error) {
        if (!isLogDamage(error)) throw error;
        const message = `followers cannot continue with ${options.topic}/${p}; retrying`;
        onTrouble({ message, error });
        damagedUntil.set(p, Date.now() + damageRetryMs);
        continue;
      }
      if (topic.epoch !== epoch) throw topicRecreated(options.topic);
      if (gap !== undefined) {
        if (options.onGap === undefined) throw outOfRange(gap);
        await options.onGap(gap);
        next[p] = offsetAfter(gap);
        found = true;
        continue;
      }
      if (records.length === 0) continue;
      found = true;
      await options.onBatch(records, p);
      next[p] = records.at(-1)!.offset + 1;
    }
    if (found) await yieldToIo();
    else await notifier.wait(options.topic, idleMs, signal);
  }
}
