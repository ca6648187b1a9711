import { epochOfId, formatMicros, mayBeOfEpoch, senderOf, topics, type Source } from '@logloom/schemas';
import type { FoundEvent } from '@logloom/search-store';
import type { CorrelationEventsDeps } from '../requests/correlation-events.ts';

/** Where an event came from, by the log or, if that no longer has it, by the archive. For operators. */
export interface EventOrigin {
  id: string;
  /** Absent if neither has the event any more. */
  receivedAt?: string;
  source?: Source;
  /** The key that it was sent with, and the address that it came from; only while the log has the event, and if senders are recorded. */
  key?: string;
  address?: string;
}

export async function eventOrigin(
  { log, serde, archive }: CorrelationEventsDeps,
  { id, partition, offset }: FoundEvent,
): Promise<EventOrigin> {
  const epoch = epochOfId(id);
  const isOfLog = mayBeOfEpoch(id, await log.epochOf(topics.events));
  const [record] = isOfLog ? await log.read(topics.events, partition, offset, 1) : [];
  if (record?.offset === offset) {
    await serde.load([record.value]);
    const decoded = serde.decode(record.value);
    if (decoded.name === 'LogEvent') {
      const { key, address } = senderOf(record.headers);
      return {
        ...receipt(id, decoded.value),
        ...(key === undefined ? {} : { key }),
        ...(address === undefined ? {} : { address }),
      };
    }
  }
  const [archived] = await archive.range(epoch, partition, offset, offset + 1, 1);
  return archived === undefined ? { id } : receipt(id, archived);
}

function receipt(id: string, { receivedAt, source }: { receivedAt: number; source: Source }): EventOrigin {
  return { id, receivedAt: formatMicros(receivedAt * 1000), source };
}
