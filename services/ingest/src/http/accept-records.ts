import type { Normalizer } from '../event/normalize.ts';
import { textPart } from '../pipeline/joint-dead-letter.ts';
import { jsonPayload } from '../pipeline/json-payload.ts';
import type { LogEvent } from '@logloom/schemas';
import { acceptEventGroups, type EventGroup, type EventGroupsReceipt } from './accept-event-groups.ts';
import type { Received } from './receive-request.ts';

/** The largest that INGEST_MAX_EVENT_BYTES may be: what is larger was not read, and is not read for a dead letter either. */
const maxReadBytes = 2 ** 22;

/** An event as JSON at /ingest would have it. */
export type RecordObject = Record<string, unknown>;

/**
 * Accepts the records of a request, which share nothing, as acceptEventGroups() does. `read` returns a record as JSON at /ingest would have
 * it, or throws RejectedError; `finish` may fill in what is still unknown. A dead letter is that JSON, so that a redrive can read it; the
 * record's bytes where it could not be read.
 */
export async function acceptRecords(
  receiver: string,
  records: Buffer[],
  read: (record: Buffer) => RecordObject,
  received: Received,
  finish: (event: LogEvent, object: RecordObject) => void = () => {},
): Promise<EventGroupsReceipt> {
  const group = recordGroup(records, read, received.pipeline.normalizer, finish);
  return acceptEventGroups(receiver, [group], received);
}

function recordGroup(
  records: Buffer[],
  read: (record: Buffer) => RecordObject,
  normalizer: Normalizer,
  finish: (event: LogEvent, object: RecordObject) => void,
): EventGroup<Buffer> {
  return {
    records,
    sharedLength: 0,
    toEvent: (record, source, receivedAtMs) => {
      const object = read(record);
      const result = normalizer.normalize(object, source, receivedAtMs);
      if (!('ok' in result)) return result;
      finish(result.ok, object);
      return result.ok;
    },
    part: (record) =>
      textPart(record.length > maxReadBytes ? record : jsonPayload(record, () => read(record))),
    deadLetter: (parts) => parts,
  };
}

/** Returns the object with members that it lacks. Values that are undefined are left out. */
export function withAbsent(object: RecordObject, members: RecordObject): RecordObject {
  for (const name in members)
    if (members[name] !== undefined && !(name in object)) object[name] = members[name];
  return object;
}
