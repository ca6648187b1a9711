import { topics, type Source } from '@logloom/schemas';

/** Stands for the source, which the archive doesn't keep: the event's place in the log. */
export function sourceOf(partition: number, offset: number): Source {
  return { kind: 'archive', topic: topics.events, partition, offset, index: 0 };
}
