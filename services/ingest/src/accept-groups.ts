import type { LogEvent, Source } from '@logloom/schemas';
import { nextSource } from './accept-body.ts';
import type { Counts, Received } from './door-request.ts';
import { IngestError, reject, RejectedError, type Rejection } from './errors.ts';
import { inSlices } from './in-slices.ts';
import { ifAllowed } from './key-guard.ts';
import { RejectionSummary } from './rejection-summary.ts';
import { spans } from './telemetry.ts';

/** Events of a request that share what stands once for all of them, still encoded: a broken one costs only itself. */
export interface Group<Encoded> {
  records: Encoded[];
  /** The length of what is shared: each event will hold it. */
  sharedLength: number;
  /** Reads one; also by throwing RejectedError. */
  toEvent: (record: Encoded, source: Source, receivedAt: number) => LogEvent | Rejection;
  /** A request that holds this record alone, as it came, with what is shared. */
  alone: (record: Encoded) => Buffer;
}

export interface GroupsReceipt extends Counts {
  /** Why events were rejected, in words; '' when none was. */
  reason: string;
}

/**
 * Takes in a request's events; what is refused becomes a dead letter that can be sent again alone. Resolves when all is durable.
 * Throws IngestError `body-too-large` when the events with what they share are more than a body may be, `log-unavailable`.
 */
export async function acceptGroups<Encoded>(
  door: string,
  groups: readonly Group<Encoded>[],
  { intake, producer, receivedAt, maxEventBytes, claim, key }: Received,
): Promise<GroupsReceipt> {
  claim(groups.reduce((sum, { records, sharedLength }) => sum + records.length * sharedLength, 0));
  const unit = intake.open(door);
  const summary = new RejectionSummary();
  const accept = ([group, record]: readonly [Group<Encoded>, Encoded]): void => {
    const source = nextSource(producer);
    let result = ifAllowed(
      orRejection(() => group.toEvent(record, source, receivedAt)),
      key,
    );
    if (!('code' in result) && result.message.length + result.attributes.length > maxEventBytes)
      result = reject('event-too-large');
    summary.count(result);
    if ('code' in result) unit.refuse(result, source, receivedAt, group.alone(record));
    else unit.accept(result);
  };
  await intake.tracing.child(spans.normalize, () => inSlices(recordsOf(groups), unit, accept));
  await unit.done();
  return summary.receipt();
}

function* recordsOf<Encoded>(
  groups: readonly Group<Encoded>[],
): Generator<readonly [Group<Encoded>, Encoded]> {
  for (const group of groups) for (const record of group.records) yield [group, record];
}

/** What `read` gives, also by throwing RejectedError. */
export function orRejection(read: () => LogEvent | Rejection): LogEvent | Rejection {
  try {
    return read();
  } catch (error) {
    if (error instanceof RejectedError) return error.rejection;
    throw error;
  }
}

/** What `read` gives. The request as a whole fails, with an IngestError, for what its frame is rejected for. */
export function readFrame<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RejectedError) throw new IngestError(error.rejection.code, error.message);
    throw error;
  }
}
