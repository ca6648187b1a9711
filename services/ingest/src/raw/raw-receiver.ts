import { createGapReport } from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import type { Receiver } from '../pipeline/receiver.ts';
import { group, RawPartition, type RawPartitionOptions } from './raw-partition.ts';

/** Reads logs.raw into logs.events, each record exactly once: the log itself shows what was written since the last commit. */
export const rawReceiver: Receiver = async ({ log, serde, pipeline, settings, keys, telemetry }) => {
  const options: RawPartitionOptions = {
    log,
    serde,
    pipeline,
    maxEventBytes: settings.INGEST_MAX_EVENT_BYTES,
    keys,
    logger: telemetry.logger,
    gaps: createGapReport(telemetry, [
      { consumer: group, topic: topics.raw },
      { consumer: group, topic: topics.events },
    ]),
  };
  return (signal) =>
    log.consume(
      {
        group,
        topics: [topics.raw],
        open: (assignment) => RawPartition.open(assignment, options, signal),
      },
      signal,
    );
};
