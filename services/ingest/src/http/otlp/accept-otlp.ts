import {
  acceptEventGroups,
  readFrame,
  type EventGroup,
  type EventGroupsReceipt,
} from '../accept-event-groups.ts';
import type { Received } from '../receive-request.ts';
import type { Normalizer } from '../../event/normalize.ts';
import { otlpEvent, senderFields } from './otlp-event.ts';
import { readJsonRecord, readOtlpJson } from './otlp-json.ts';
import { readOtlpProtobuf, readProtobufRecord } from './otlp-protobuf.ts';
import type { OtlpScopeLogs, OtlpRecord } from './otlp-record.ts';
import { parseCostly } from '../../event/parse-json.ts';
import type { RequestCost } from '../../admission/request-cost.ts';

/**
 * Accepts the records of an ExportLogsServiceRequest. Resolves when all is durable. Throws IngestError `bad-protobuf`,
 * `wrong-shape`, `bad-json`, `invalid-utf8` when the request cannot be read, and what acceptEventGroups() throws.
 */
export async function acceptOtlp(received: Received, isProtobuf: boolean): Promise<EventGroupsReceipt> {
  const { body, pipeline, cost } = received;
  return isProtobuf
    ? acceptEventGroups(
        'otlp',
        readFrame(() => otlpProtobufGroups(body, pipeline.normalizer, cost)),
        received,
      )
    : acceptEventGroups(
        'otlp',
        readFrame(() => otlpJsonGroups(parseCostly(body, cost), pipeline.normalizer, cost)),
        received,
      );
}

/** Returns the groups of a request in protobuf. Throws RejectedError when its frame is broken. */
export function otlpProtobufGroups(
  body: Buffer,
  normalizer: Normalizer,
  cost: RequestCost,
): EventGroup<Buffer>[] {
  return readOtlpProtobuf(body, cost).map((group) => withEvents(group, readProtobufRecord, normalizer));
}

/** Returns the groups of a parsed request in JSON. Throws RejectedError when its frame is broken. */
export function otlpJsonGroups(
  request: unknown,
  normalizer: Normalizer,
  cost: RequestCost,
): EventGroup<unknown>[] {
  return readOtlpJson(request, cost).map((group) => withEvents(group, readJsonRecord, normalizer));
}

function withEvents<Encoded>(
  { sender, records, part, deadLetter }: OtlpScopeLogs<Encoded>,
  read: (record: Encoded) => OtlpRecord,
  normalizer: Normalizer,
): EventGroup<Encoded> {
  const fields = senderFields(sender);
  const refused = sender.refused ?? sender.scope.refused;
  return {
    records,
    sharedLength: fields.resource.length + fields.scope.length,
    toEvent: (record, source, receivedAtMs) =>
      refused ?? otlpEvent(read(record), fields, source, receivedAtMs, normalizer),
    part,
    deadLetter,
  };
}
