import { acceptGroups, readFrame, type Group, type GroupsReceipt } from './accept-groups.ts';
import type { Received } from './door-request.ts';
import type { Normalizer } from './normalize.ts';
import { otlpEvent, senderFields } from './otlp-event.ts';
import { readJsonRecord, readOtlpJson } from './otlp-json.ts';
import { readOtlpProtobuf, readProtobufRecord } from './otlp-protobuf.ts';
import type { OtlpGroup, OtlpRecord } from './otlp-record.ts';
import { parseJsonBytes } from './read-event.ts';

/**
 * Takes in the records of an ExportLogsServiceRequest. Resolves when all is durable. Throws IngestError `bad-protobuf`,
 * `wrong-shape`, `bad-json`, `invalid-utf8` when the request cannot be read, and what acceptGroups() throws.
 */
export async function acceptOtlp(received: Received, isProtobuf: boolean): Promise<GroupsReceipt> {
  const { body, intake } = received;
  return isProtobuf
    ? acceptGroups(
        'otlp',
        readFrame(() => otlpProtobufGroups(body, intake.normalizer)),
        received,
      )
    : acceptGroups(
        'otlp',
        readFrame(() => otlpJsonGroups(parseJsonBytes(body), intake.normalizer)),
        received,
      );
}

/** The groups of a request in protobuf. Throws RejectedError when its frame is broken. */
export function otlpProtobufGroups(body: Buffer, normalizer: Normalizer): Group<Buffer>[] {
  return readOtlpProtobuf(body).map((group) => withEvents(group, readProtobufRecord, normalizer));
}

/** The groups of a request in JSON, from its parsed text. Throws RejectedError when its frame is broken. */
export function otlpJsonGroups(request: unknown, normalizer: Normalizer): Group<unknown>[] {
  return readOtlpJson(request).map((group) => withEvents(group, readJsonRecord, normalizer));
}

function withEvents<Encoded>(
  { sender, records, alone }: OtlpGroup<Encoded>,
  read: (record: Encoded) => OtlpRecord,
  normalizer: Normalizer,
): Group<Encoded> {
  const fields = senderFields(sender);
  return {
    records,
    sharedLength: fields.resource.length + fields.scope.length,
    toEvent: (record, source, receivedAt) => otlpEvent(read(record), fields, source, receivedAt, normalizer),
    alone,
  };
}
