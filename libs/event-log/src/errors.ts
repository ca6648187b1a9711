import { declareErrors } from '@logloom/errors';

/** What can go wrong with the log. */
export const eventLogErrors = declareErrors({
  'log-unavailable': {
    status: 503,
    retriable: true,
    message: 'the log cannot be read or written',
    where: 'HTTP, live error, log',
    cause: 'Kafka or the embedded log cannot be read or written: brokers unreachable, disk full or broken.',
    action:
      'Retry; a sender that numbers its events (`Logloom-Producer`) creates no duplicates. Viewers: subscribe again with the last cursor. Operators: check the brokers or the disk.',
  },
  'data-in-use': {
    retriable: false,
    message: 'another process uses the data folder',
    where: 'start',
    cause: 'Another process uses the same `LOGLOOM_DATA`.',
    action: 'Stop it, or give this one a folder of its own.',
  },
  'log-damaged': {
    retriable: true,
    message: 'a file of the log is damaged',
    where: 'log, `problems` of `/health/ready`',
    cause:
      'A file of the embedded log is not what Logloom wrote. The message names it. Its topic or partition stops; the others continue.',
    action:
      'Restore the file from a backup; or stop Logloom and move the file away: its records are then lost, and the topic is recreated.',
  },
  'topic-mismatch': {
    retriable: false,
    message: 'the topic is set up differently',
    where: 'start',
    cause:
      'The number of partitions of a topic is not `LOG_PARTITIONS`; or, on Kafka, is compacted or not set to `LogAppendTime`: the message says which.',
    action:
      "Set `LOG_PARTITIONS` to the topic's number. Events of one request share a partition, so the number is fixed once the topics exist.",
  },
  'unknown-topic': {
    retriable: false,
    message: 'the topic does not exist',
    where: 'start, log',
    cause: 'The topic does not exist, or was deleted under a running service.',
    action: 'Restart the service: it creates its topics when it starts.',
  },
  'topic-recreated': {
    retriable: false,
    message: 'the topic was deleted and created again',
    where: 'log',
    cause:
      'A topic was deleted and recreated under a running service, so its offsets now belong to other records. Services start over on it by themselves; viewers get a gap with the reason `epoch`.',
    action: 'Nothing, if it was intended. Otherwise restore the topic from a backup.',
  },
  'unknown-partition': {
    retriable: false,
    message: 'the topic does not have this partition',
    where: 'log',
    cause: 'The topic has fewer partitions than the caller assumes.',
    action: 'Check `LOG_PARTITIONS` as for `topic-mismatch`.',
  },
  'offset-out-of-range': {
    retriable: false,
    message: 'the log does not have these records any more',
    where: 'log',
    cause: 'A reader that does not handle gaps asked for records that retention or an operator has removed.',
    action: "Report it: all of Logloom's readers report gaps instead (docs/limits.md).",
  },
  'not-assigned': {
    retriable: false,
    message: 'the partition is assigned to another member of the group',
    where: 'log',
    cause:
      'The partition was assigned to another member of the consumer group, which repeats the work since the last commit; readers drop the duplicates.',
    action: 'Nothing. If it occurs often, look for instances that restart or stall.',
  },
  'metadata-too-large': {
    retriable: false,
    message: 'the metadata of the commit is too large',
    where: 'log',
    cause: "A commit's metadata would exceed 4,064 bytes.",
    action: 'Report it: services bound what they store there.',
  },
  'record-too-large': {
    retriable: false,
    message: 'the record is larger than Kafka accepts',
    where: 'log',
    cause: 'A record is larger than Kafka accepts (`max.message.bytes` of the topic); it was not stored.',
    action:
      'Raise the limit of the topic and of the brokers above `INGEST_MAX_EVENT_BYTES`, or lower that setting.',
  },
});
