import { EventLogError } from '../event-log.ts';
import type { SqliteTopic } from './topic.ts';

/** The epoch of the topic as it is now. Throws EventLogError `unknown-topic` when it was deleted. */
export function epochNow(topic: SqliteTopic): string {
  const { epoch } = topic;
  if (epoch === undefined) throw new EventLogError('unknown-topic', `there is no topic ${topic.name}`);
  return epoch;
}

export function topicRecreated(name: string): EventLogError {
  return new EventLogError(
    'topic-recreated',
    `${name} was recreated: its offsets belong to other records now`,
  );
}

export function isTopicRecreated(error: unknown): error is EventLogError {
  return error instanceof EventLogError && error.code === 'topic-recreated';
}
