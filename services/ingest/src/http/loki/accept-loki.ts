import {
  acceptEventGroups,
  readFrame,
  type EventGroup,
  type EventGroupsReceipt,
} from '../accept-event-groups.ts';
import type { Received } from '../receive-request.ts';
import { lokiEvent } from './loki-event.ts';
import { readJsonEntry, readLokiJson } from './loki-json.ts';
import { readLokiProtobuf, readProtobufEntry } from './loki-protobuf.ts';
import type { LokiEntry, LokiStream } from './loki-push.ts';
import type { Normalizer } from '../../event/normalize.ts';
import { parseCostly } from '../../event/parse-json.ts';
import type { RequestCost } from '../../admission/request-cost.ts';
import { unpackSnappy } from './unpack-snappy.ts';

/**
 * Accepts the entries of a push request. Resolves when all is durable. Throws IngestError `bad-encoding`, `bad-protobuf`,
 * `wrong-shape`, `bad-json`, `invalid-utf8` when the request cannot be read, and what acceptEventGroups() throws.
 */
export async function acceptLoki(received: Received, isJson: boolean): Promise<EventGroupsReceipt> {
  const { body, pipeline, claim, cost } = received;
  if (isJson) {
    const groups = readFrame(() => lokiJsonGroups(parseCostly(body, cost), pipeline.normalizer, cost));
    return acceptEventGroups('loki', groups, received);
  }
  const unpacked = await unpackSnappy(body, claim);
  const groups = readFrame(() => lokiProtobufGroups(unpacked, pipeline.normalizer, cost));
  return acceptEventGroups('loki', groups, received);
}

/** Returns the streams of a parsed request in JSON. Throws RejectedError when its frame is broken. */
export function lokiJsonGroups(
  request: unknown,
  normalizer: Normalizer,
  cost: RequestCost,
): EventGroup<unknown>[] {
  return readLokiJson(request, cost).map((stream) => withEvents(stream, readJsonEntry, normalizer));
}

/** Returns the streams of an unpacked request in protobuf. Throws RejectedError when its frame is broken. */
export function lokiProtobufGroups(
  body: Buffer,
  normalizer: Normalizer,
  cost: RequestCost,
): EventGroup<Buffer>[] {
  return readLokiProtobuf(body, cost).map((stream) => withEvents(stream, readProtobufEntry, normalizer));
}

function withEvents<Encoded>(
  { labels, entries, part, deadLetter }: LokiStream<Encoded>,
  read: (entry: Encoded) => LokiEntry,
  normalizer: Normalizer,
): EventGroup<Encoded> {
  return {
    records: entries,
    sharedLength: Object.entries(labels).reduce((sum, [name, value]) => sum + name.length + value.length, 0),
    toEvent: (entry, source, receivedAtMs) =>
      lokiEvent(read(entry), labels, source, receivedAtMs, normalizer),
    part,
    deadLetter,
  };
}
