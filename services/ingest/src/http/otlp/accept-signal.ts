import type { LogEvent, Source } from '@logloom/schemas';
import type { RequestCost } from '../../admission/request-cost.ts';
import type { Rejection } from '../../errors.ts';
import type { Normalizer } from '../../event/normalize.ts';
import { parseCostly } from '../../event/parse-json.ts';
import {
  acceptEventGroups,
  readFrame,
  type EventGroup,
  type EventGroupsReceipt,
} from '../accept-event-groups.ts';
import type { Received } from '../receive-request.ts';
import { senderFields, type SenderFields } from './otlp-event.ts';
import type { OtlpScopeLogs } from './otlp-record.ts';

/** Accepts the request of a signal. */
export type AcceptSignal = (received: Received, isProtobuf: boolean) => Promise<EventGroupsReceipt>;

/** Returns the groups of a request. Throws RejectedError when its frame is broken. */
type ReadGroups<Request, Encoded> = (
  request: Request,
  normalizer: Normalizer,
  cost: RequestCost,
) => EventGroup<Encoded>[];

/**
 * Returns what accepts a request in one of the two encodings of OTLP. It resolves when all is durable, and throws IngestError `bad-protobuf`,
 * `wrong-shape`, `bad-json`, `invalid-utf8` when the request cannot be read, and what acceptEventGroups() throws.
 */
export function acceptSignal(
  receiver: string,
  protobufGroups: ReadGroups<Buffer, Buffer>,
  jsonGroups: ReadGroups<unknown, unknown>,
): AcceptSignal {
  return async (received, isProtobuf) => {
    const { body, cost } = received;
    const { normalizer } = received.pipeline;
    if (isProtobuf) {
      const groups = readFrame(() => protobufGroups(body, normalizer, cost));
      return acceptEventGroups(receiver, groups, received);
    }
    const groups = readFrame(() => jsonGroups(parseCostly(body, cost), normalizer, cost));
    return acceptEventGroups(receiver, groups, received);
  };
}

/** Returns the group of what one scope of one resource has sent. `read` and `toEvent` make an event of one of its records. */
export function scopeGroup<Encoded, Read>(
  { sender, records, part, deadLetter }: OtlpScopeLogs<Encoded>,
  read: (record: Encoded) => Read,
  toEvent: (
    record: Read,
    fields: SenderFields,
    source: Source,
    receivedAtMs: number,
    normalizer: Normalizer,
  ) => LogEvent | Rejection,
  normalizer: Normalizer,
): EventGroup<Encoded> {
  const fields = senderFields(sender);
  const refused = sender.refused ?? sender.scope.refused;
  return {
    records,
    sharedLength: fields.resource.length + fields.scope.length,
    toEvent: (record, source, receivedAtMs) =>
      refused ?? toEvent(read(record), fields, source, receivedAtMs, normalizer),
    part,
    deadLetter,
  };
}
