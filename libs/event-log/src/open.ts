import { join } from 'node:path';
import type { EventLog, TopicSpec } from './event-log.ts';
import { SqliteEventLog } from './sqlite.ts';

export interface EventLogOptions {
  /** The folder of the embedded store. */
  dataFolder: string;
  /** The topics that must exist. */
  topics: readonly TopicSpec[];
}

/** The log that the settings name, with its topics. */
export async function openEventLog({ dataFolder, topics }: EventLogOptions): Promise<EventLog> {
  const log = new SqliteEventLog(join(dataFolder, 'log'));
  await log.createTopics(topics);
  return log;
}
