import type { RequestCost } from '../../admission/request-cost.ts';
import type { Normalizer } from '../../event/normalize.ts';
import type { EventGroup } from '../accept-event-groups.ts';
import { acceptSignal, scopeGroup } from './accept-signal.ts';
import { otlpEvent } from './otlp-event.ts';
import { readJsonRecord, readOtlpJson } from './otlp-json.ts';
import { readOtlpProtobuf, readProtobufRecord } from './otlp-protobuf.ts';

/** Accepts the records of an ExportLogsServiceRequest. See acceptSignal(). */
export const acceptOtlp = acceptSignal('otlp', otlpProtobufGroups, otlpJsonGroups);

/** Returns the groups of a request in protobuf. Throws RejectedError when its frame is broken. */
export function otlpProtobufGroups(
  body: Buffer,
  normalizer: Normalizer,
  cost: RequestCost,
): EventGroup<Buffer>[] {
  return readOtlpProtobuf(body, cost).map((group) =>
    scopeGroup(group, readProtobufRecord, otlpEvent, normalizer),
  );
}

/** Returns the groups of a parsed request in JSON. Throws RejectedError when its frame is broken. */
export function otlpJsonGroups(
  request: unknown,
  normalizer: Normalizer,
  cost: RequestCost,
): EventGroup<unknown>[] {
  return readOtlpJson(request, cost).map((group) => scopeGroup(group, readJsonRecord, otlpEvent, normalizer));
}
