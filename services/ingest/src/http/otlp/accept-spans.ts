import type { RequestCost } from '../../admission/request-cost.ts';
import type { Normalizer } from '../../event/normalize.ts';
import type { EventGroup } from '../accept-event-groups.ts';
import { protobufField } from '../protobuf-reader.ts';
import { acceptSignal, scopeGroup } from './accept-signal.ts';
import { readOtlpJson, type SignalNames } from './otlp-json.ts';
import { readOtlpProtobuf } from './otlp-protobuf.ts';
import { readJsonSpan } from './otlp-span-json.ts';
import { readProtobufSpan } from './otlp-span-protobuf.ts';
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

/** Accepts the spans of an ExportTraceServiceRequest. See acceptSignal(). */
export const acceptSpans = acceptSignal('otlp-traces', spanProtobufGroups, spanJsonGroups);

/** Returns the groups of a request in protobuf. Throws RejectedError when its frame is broken. */
export function spanProtobufGroups(
  body: Buffer,
  normalizer: Normalizer,
  cost: RequestCost,
): EventGroup<Buffer>[] {
  return readOtlpProtobuf(body, cost).map((group) => ({
    ...scopeGroup(group, readProtobufSpan, spanEvent, normalizer),
    deadLetter: (parts) => protobufField(spanLetterField, group.deadLetter(parts)),
  }));
}

/** Returns the groups of a parsed request in JSON. Throws RejectedError when its frame is broken. */
export function spanJsonGroups(
  request: unknown,
  normalizer: Normalizer,
  cost: RequestCost,
): EventGroup<unknown>[] {
  return readOtlpJson(request, cost, names).map((group) =>
    scopeGroup(group, readJsonSpan, spanEvent, normalizer),
  );
}
