import type { LogRecord } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { isOfEpoch } from '@logloom/schemas';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LiveItem, StreamKind } from './stream-kind.ts';

/** A record's place, and its item if viewers get it. */
export interface DecodedRecord {
  offset: number;
  /** The append time of the log, milliseconds since 1970. */
  appendedAtMs: number;
  item: LiveItem | undefined;
}

export interface DecodeProblems {
  /** A record that can never be read: viewers do not get it. */
  undecodable: (record: LogRecord, error: Error) => void;
  /** The schemas cannot be fetched at present; retrying. */
  retrying: (error: Error) => void;
  /** Ends the retries. */
  signal: AbortSignal;
}

const retryMs = 500;

/**
 * Decodes a slice of one partition. A bad record is reported and skipped; while schemas cannot be fetched it waits. Rejects with the
 * signal's reason when they cannot be fetched after it has aborted.
 */
export async function decodeRecords(
  kind: StreamKind,
  epoch: string,
  serde: Serde,
  records: readonly LogRecord[],
  problems: DecodeProblems,
): Promise<DecodedRecord[]> {
  await loadSchemas(serde, records, problems);
  return records.map((record) => {
    const { partition, offset, timestampMs: appendedAtMs, value } = record;
    let item: LiveItem | undefined;
    try {
      // A document about a deleted logs.events would now refer to other events.
      if (!isOfEpoch(record, epoch)) return { offset, appendedAtMs, item };
      item = kind.item(serde.decode(value), epoch, partition, offset, appendedAtMs, value.length);
    } catch (error) {
      problems.undecodable(record, error as Error);
    }
    return { offset, appendedAtMs, item };
  });
}

async function loadSchemas(
  serde: Serde,
  records: readonly LogRecord[],
  problems: DecodeProblems,
): Promise<void> {
  const { signal, retrying } = problems;
  for (;;) {
    try {
      await serde.load(records.map((record) => record.value));
      return;
    } catch (error) {
      // A tier that drains goes on until its viewers are gone, but does not wait.
      signal.throwIfAborted();
      retrying(error as Error);
      await sleep(retryMs, undefined, { signal }).catch(() => {});
      signal.throwIfAborted();
    }
  }
}
