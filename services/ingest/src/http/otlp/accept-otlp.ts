import { acceptGroups, readFrame, type Group, type GroupsReceipt } from '../accept-groups.ts';
import type { Received } from '../receive-request.ts';
import type { Normalizer } from '../../event/normalize.ts';
import { otlpEvent, senderFields } from './otlp-event.ts';
import { readJsonRecord, readOtlpJson } from './otlp-json.ts';
import { readOtlpProtobuf, readProtobufRecord } from './otlp-protobuf.ts';
import type { OtlpGroup, OtlpRecord } from './otlp-record.ts';
import { parseCostly } from '../../event/read-event.ts';
import type { RequestCost } from '../../admission/request-cost.ts';

/**
 * Takes in the records of an ExportLogsServiceRequest. Resolves when all is durable. Throws IngestError `bad-protobuf`,
 * `wrong-shape`, `bad-json`, `invalid-utf8` when the request cannot be read, and what acceptGroups() throws.
 */
export async function acceptOtlp(received: Received, isProtobuf: boolean): Promise<GroupsReceipt> {
  const { body, intake, cost } = received;
  return isProtobuf
    ? acceptGroups(
        'otlp',
        readFrame(() => otlpProtobufGroups(body, intake.normalizer, cost)),
        received,
      )
    : acceptGroups(
        'otlp',
        readFrame(() => otlpJsonGroups(parseCostly(body, cost), intake.normalizer, cost)),
        received,
      );
}

/** The groups of a request in protobuf. Throws RejectedError when its frame is broken. */
export function otlpProtobufGroups(body: Buffer, normalizer: Normalizer, cost: RequestCost): Group<Buffer>[] {
  return readOtlpProtobuf(body, cost).map((group) => withEvents(group, readProtobufRecord, normalizer));
}

/** The groups of a request in JSON, from its parsed text. Throws RejectedError when its frame is broken. */
export function otlpJsonGroups(
  request: unknown,
  normalizer: Normalizer,
  cost: RequestCost,
): Group<unknown>[] {
  return readOtlpJson(request, cost).map((group) => withEvents(group, readJsonRecord, normalizer));
}

function withEvents<Encoded>(
  { sender, records, part, letter }: OtlpGroup<Encoded>,
  read: (record: Encoded) => OtlpRecord,
  normalizer: Normalizer,
): Group<Encoded> {
  const fields = senderFields(sender);
  const refused = sender.refused ?? sender.scope.refused;
  return {
    records,
    sharedLength: fields.resource.length + fields.scope.length,
    toEvent: (record, source, receivedAt) =>
      refused ?? otlpEvent(read(record), fields, source, receivedAt, normalizer),
    part,
    letter,
  };
}
