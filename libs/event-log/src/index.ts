export { eventLogErrors } from './errors.ts';
export { lockDataFolder } from './data-folder.ts';
export {
  EventLogError,
  maxMetadataBytes,
  maxReadBytes,
  type Assignment,
  type Commit,
  type ConsumeOptions,
  type EventLog,
  type EventLogErrorCode,
  type FollowOptions,
  type LogGap,
  type LogRecord,
  type NewRecord,
  type PartitionHandler,
  type TopicSpec,
  type Trouble,
} from './event-log.ts';
export type { KafkaOptions } from './kafka/options.ts';
export { kafkaSecurityOf } from './kafka/security/settings.ts';
export { openEventLog, type EventLogOptions } from './open.ts';
export { partitionOf } from './partitioner.ts';
export { DuplicateWindow, duplicateWindowRecords, warmUp, type ReadSources } from './duplicate-window.ts';
export { SqliteEventLog, type LogCheck, type OwnedLog } from './sqlite/sqlite-event-log.ts';
export { offsetBefore, restoredOffsets, skippedBetween, type SkippedOffsets } from './skipped-offsets.ts';
export { waitForRoom } from './wait-for-room.ts';
