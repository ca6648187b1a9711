import { join } from 'node:path';
import type { EventLog, TopicSpec, Trouble } from './event-log.ts';
import type { KafkaOptions } from './kafka/options.ts';
import { SqliteEventLog } from './sqlite/sqlite-event-log.ts';

export interface EventLogOptions {
  /** The folder of the embedded store. */
  dataFolder: string;
  /** The topics that must exist. */
  topics: readonly TopicSpec[];
  /** Kafka; without it the log is the embedded one. */
  kafka?: KafkaOptions | undefined;
  /** Told of what the embedded log cannot do for now; Kafka's options have their own. */
  onTrouble?: ((trouble: Trouble) => void) | undefined;
}

/** The log that the settings name, with its topics. */
export async function openEventLog({
  dataFolder,
  topics,
  kafka,
  onTrouble,
}: EventLogOptions): Promise<EventLog> {
  if (kafka !== undefined) {
    // Its client takes time and memory that whoever runs embedded need not spend.
    const { KafkaEventLog } = await import('./kafka/kafka-event-log.ts');
    return KafkaEventLog.open(kafka, topics);
  }
  const log = new SqliteEventLog(join(dataFolder, 'log'), onTrouble);
  await log.createTopics(topics);
  return log;
}
