import { forEachOtherId, isPlaceholderId, type LogEvent } from '@logloom/schemas';

export const maxIds = 32;

/**
 * Adds the new ids of a member, up to maxIds; returns the list, which is created for the first one: most sessions have only one id.
 * `joins`: see CorrelateOptions; without, as releases did that knew no links.
 */
export function addIds(
  ids: string[] | null,
  correlationId: string,
  event: Pick<LogEvent, 'correlationId' | 'traceId' | 'attributes'>,
  joins = false,
): string[] | null {
  // A member that was forwarded has another one.
  let all = event.correlationId === null ? ids : add(ids, correlationId, event.correlationId);
  forEachOtherId(event, (id, kind) => {
    if (joins ? !isPlaceholderId(id) : kind !== 'correlationId') all = add(all, correlationId, id);
  });
  return all;
}

function add(ids: string[] | null, correlationId: string, id: string): string[] | null {
  if (id === correlationId || id.length > 256) return ids;
  if (ids === null) return [id];
  if (ids.length < maxIds && !ids.includes(id)) ids.push(id);
  return ids;
}
