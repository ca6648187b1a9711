import type { LogEvent } from '@logloom/schemas';

export const maxIds = 32;

/** The ids that have no field of their own in an event, as ingest writes them among the attributes. */
const keys = ['"requestId":"', '"sessionId":"'] as const;

/** Adds the new ids of a member, up to maxIds; returns the list, which is created for the first one: most sessions have only one id. */
export function addIds(
  ids: string[] | null,
  correlationId: string,
  event: Pick<LogEvent, 'traceId' | 'attributes'>,
): string[] | null {
  let all = ids;
  if (event.traceId !== null) all = add(all, correlationId, event.traceId);
  if (event.attributes.length > 2) {
    for (const key of keys) {
      const at = event.attributes.indexOf(key);
      if (at < 0) continue;
      const id = textAt(event.attributes, at + key.length - 1);
      if (id !== '') all = add(all, correlationId, id);
    }
  }
  return all;
}

function add(ids: string[] | null, correlationId: string, id: string): string[] | null {
  if (id === correlationId || id.length > 256) return ids;
  if (ids === null) return [id];
  if (ids.length < maxIds && !ids.includes(id)) ids.push(id);
  return ids;
}

/** The JSON string whose opening quote is at `start`. A key's quotes are never escaped, so this is a member of some object. */
function textAt(json: string, start: number): string {
  let end = start + 1;
  let isPlain = true;
  for (; end < json.length && json.charCodeAt(end) !== 0x22; end++) {
    if (json.charCodeAt(end) === 0x5c) {
      isPlain = false;
      end++;
    }
  }
  return isPlain ? json.slice(start + 1, end) : (JSON.parse(json.slice(start, end + 1)) as string);
}
