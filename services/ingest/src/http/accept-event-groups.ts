import type { LogEvent, Source } from '@logloom/schemas';
import type { Counts, Received } from './receive-request.ts';
import { IngestError, reject, RejectedError, type Rejection } from '../errors.ts';
import { inSlices } from '../pipeline/in-slices.ts';
import { ifAllowed } from '../admission/key-guard.ts';
import { RejectionSummary } from './rejection-summary.ts';
import { spans } from '../telemetry.ts';
import { crc32 } from 'node:zlib';

/** Events of a request that share what it holds once for all of them. They are still encoded: a broken one costs only itself. */
export interface EventGroup<Encoded> {
  records: Encoded[];
  /** The length of what is shared. Each event will hold it. */
  sharedLength: number;
  /** Reads one event. Returns a rejection, or throws it as a RejectedError. */
  toEvent: (record: Encoded, source: Source, receivedAtMs: number) => LogEvent | Rejection;
  /** Returns the record as it stands among others in a request. */
  part: (record: Encoded) => Buffer;
  /** Returns a request of these parts, one after another, with what is shared: the payload of a dead letter. */
  deadLetter: (parts: Buffer) => Buffer;
}

export interface EventGroupsReceipt extends Counts {
  /** Why events were rejected, as text; '' when none was. */
  reason: string;
}

/**
 * Accepts a request's events. A rejected one becomes a dead letter that can be sent again alone. Resolves when all is durable. Throws
 * IngestError `body-too-large` when the events with what they share are larger than a body may be, `log-unavailable`.
 */
export async function acceptEventGroups<Encoded>(
  receiver: string,
  groups: readonly EventGroup<Encoded>[],
  { pipeline, producer, receivedAtMs, maxEventBytes, claim, key, sender, limits }: Received,
): Promise<EventGroupsReceipt> {
  claim(groups.reduce((sum, { records, sharedLength }) => sum + records.length * sharedLength, 0));
  const batch = pipeline.open(receiver, { limits, producer, sender });
  const summary = new RejectionSummary();
  let last: EventGroup<Encoded> | undefined;
  let shared = 0;
  // A checksum of a numbered event and of what it shares with its group tells its content from another one's.
  const contentOf = (group: EventGroup<Encoded>, record: Encoded): number => {
    if (group !== last) shared = crc32(group.deadLetter(Buffer.alloc(0)));
    last = group;
    return crc32(group.part(record), shared) | 0;
  };
  const accept = ([group, record]: readonly [EventGroup<Encoded>, Encoded]): void => {
    const source = producer.next();
    if (producer.isNumbered) source.index = contentOf(group, record);
    const result =
      batch.tooManyRejected ?? ifAllowed(readRecord(group, record, source, receivedAtMs, maxEventBytes), key);
    if (!('code' in result)) {
      if (batch.accept(result)) summary.count(result);
      else summary.duplicates++;
      return;
    }
    summary.count(result);
    const part = group.part(record);
    if (batch.hasDeadLetterFor(group.sharedLength + part.length))
      batch.refuse(result, source, receivedAtMs, group.deadLetter(part));
    else batch.refuseJointly(result, source, receivedAtMs, part, group.deadLetter);
  };
  await pipeline.tracing.child(spans.normalize, () => inSlices(recordsOf(groups), batch, accept));
  await batch.done();
  return summary.receipt();
}

function* recordsOf<Encoded>(
  groups: readonly EventGroup<Encoded>[],
): Generator<readonly [EventGroup<Encoded>, Encoded]> {
  for (const group of groups) for (const record of group.records) yield [group, record];
}

/** Reads one event of a group. Rejects what is too large for one. */
export function readRecord<Encoded>(
  group: EventGroup<Encoded>,
  record: Encoded,
  source: Source,
  receivedAtMs: number,
  maxEventBytes: number,
): LogEvent | Rejection {
  // Not read at all: its parts may need many times as much memory.
  if (Buffer.isBuffer(record) && record.length > maxEventBytes) return reject('event-too-large');
  const result = orRejection(() => group.toEvent(record, source, receivedAtMs));
  return !('code' in result) && result.message.length + result.attributes.length > maxEventBytes
    ? reject('event-too-large')
    : result;
}

/** Words the receipt of a request of which some was rejected; `events` is what the protocol calls its events. */
export function refusalText(
  { accepted, rejected, duplicates = 0, reason }: EventGroupsReceipt,
  events: string,
): string {
  return `${rejected} of ${accepted + rejected + duplicates} ${events} refused: ${reason}`;
}

/** Returns what `read` returns, or the rejection that it throws. */
export function orRejection(read: () => LogEvent | Rejection): LogEvent | Rejection {
  try {
    return read();
  } catch (error) {
    if (error instanceof RejectedError) return error.rejection;
    throw error;
  }
}

/** Returns what `read` returns. Turns the rejection of a request's frame into an IngestError, for the request fails as a whole. */
export function readFrame<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RejectedError) throw new IngestError(error.rejection.code, error.message);
    throw error;
  }
}
