import type { RequestCost } from '../../admission/request-cost.ts';
import type { Normalizer } from '../../event/normalize.ts';
import { parseCostly } from '../../event/parse-json.ts';
import {
  acceptEventGroups,
  readFrame,
  type EventGroup,
  type EventGroupsReceipt,
} from '../accept-event-groups.ts';
import { protobufField } from '../protobuf-reader.ts';
import type { Received } from '../receive-request.ts';
import { senderFields } from './otlp-event.ts';
import { readOtlpJson, type SignalNames } from './otlp-json.ts';
import { readOtlpProtobuf } from './otlp-protobuf.ts';
import type { OtlpScopeLogs } from './otlp-record.ts';
import { readJsonSpan } from './otlp-span-json.ts';
import { readProtobufSpan } from './otlp-span-protobuf.ts';
import type { OtlpSpan } from './otlp-span.ts';
import { spanEvent } from './span-event.ts';

const names: SignalNames = {
  resources: ['resourceSpans', 'resource_spans'],
  scopes: ['scopeSpans', 'scope_spans'],
  records: ['spans', 'spans'],
};

/**
 * The field in which a dead letter of spans in protobuf holds its request: on the wire, a request of spans looks like one of log records,
 * in which everything is in field 1.
 */
export const spanLetterField = 2;

/** Accepts the spans of an ExportTraceServiceRequest. Resolves when all is durable. Throws what acceptOtlp() throws. */
export async function acceptSpans(received: Received, isProtobuf: boolean): Promise<EventGroupsReceipt> {
  const { body, pipeline, cost } = received;
  return isProtobuf
    ? acceptEventGroups(
        'otlp-traces',
        readFrame(() => spanProtobufGroups(body, pipeline.normalizer, cost)),
        received,
      )
    : acceptEventGroups(
        'otlp-traces',
        readFrame(() => spanJsonGroups(parseCostly(body, cost), pipeline.normalizer, cost)),
        received,
      );
}

/** Returns the groups of a request in protobuf. Throws RejectedError when its frame is broken. */
export function spanProtobufGroups(
  body: Buffer,
  normalizer: Normalizer,
  cost: RequestCost,
): EventGroup<Buffer>[] {
  return readOtlpProtobuf(body, cost).map((group) => ({
    ...withEvents(group, readProtobufSpan, normalizer),
    deadLetter: (parts) => protobufField(spanLetterField, group.deadLetter(parts)),
  }));
}

/** Returns the groups of a parsed request in JSON. Throws RejectedError when its frame is broken. */
export function spanJsonGroups(
  request: unknown,
  normalizer: Normalizer,
  cost: RequestCost,
): EventGroup<unknown>[] {
  return readOtlpJson(request, cost, names).map((group) => withEvents(group, readJsonSpan, normalizer));
}

function withEvents<Encoded>(
  { sender, records, part, deadLetter }: OtlpScopeLogs<Encoded>,
  read: (span: Encoded) => OtlpSpan,
  normalizer: Normalizer,
): EventGroup<Encoded> {
  const fields = senderFields(sender);
  const refused = sender.refused ?? sender.scope.refused;
  return {
    records,
    sharedLength: fields.resource.length + fields.scope.length,
    toEvent: (span, source, receivedAtMs) =>
      refused ?? spanEvent(read(span), fields, source, receivedAtMs, normalizer),
    part,
    deadLetter,
  };
}
