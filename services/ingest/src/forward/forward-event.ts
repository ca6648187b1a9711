import type { LogEvent, Source } from '@logloom/schemas';
import type { Rejection } from '../errors.ts';
import { freeName } from '../event/free-name.ts';
import type { Normalizer } from '../event/normalize.ts';
import type { ForwardEntry } from './forward-message.ts';

/**
 * Returns the LogEvent of an entry. Its record is read like JSON at /ingest; the entry's own time stands before those in the record. The
 * tag becomes the attribute `tag`, and the service where the record names none.
 */
export function forwardEvent(
  { time, record }: ForwardEntry,
  tag: string,
  source: Source,
  receivedAtMs: number,
  normalizer: Normalizer,
): LogEvent | Rejection {
  const members = tag === '' ? '' : `,${JSON.stringify(freeName('tag', record))}:${JSON.stringify(tag)}`;
  const result = normalizer.normalizeGiven({ timestamp: time, members }, record, source, receivedAtMs);
  if (!('ok' in result)) return result;
  const event = result.ok;
  if (event.service === 'unknown' && tag !== '') event.service = tag.slice(0, maxServiceLength);
  return event;
}

const maxServiceLength = 256;
