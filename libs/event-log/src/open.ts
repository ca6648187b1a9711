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
  /** Called when the embedded log cannot do something for now; Kafka's options have their own callback. */
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
    // Kafka's client is loaded only here: embedded mode should not spend the time and memory.
    const { KafkaEventLog } = await import('./kafka/kafka-event-log.ts');
    return KafkaEventLog.open(kafka, topics);
  }
  const log = new SqliteEventLog(join(dataFolder, 'log'), onTrouble);
  await log.createTopics(topics);
  return log;
}
