import type { LogEvent } from './generated/types.ts';

/** The ids that can group events to requests, in the default order of preference. */
export const idKinds = ['correlationId', 'traceId', 'requestId', 'sessionId'] as const;
export type IdKind = (typeof idKinds)[number];

/** The ids that have no field of their own in an event, as ingest writes them among the attributes. */
const attributeKinds = ['correlationId', 'requestId', 'sessionId'] as const;

const members: Readonly<Record<(typeof attributeKinds)[number], string>> = {
  correlationId: '"correlationId":"',
  requestId: '"requestId":"',
  sessionId: '"sessionId":"',
};

/** Calls back with each id of an event beside its correlation id, and its kind. Nothing is parsed but the ids. */
export function forEachOtherId(
  event: Pick<LogEvent, 'traceId' | 'attributes'>,
  visit: (id: string, kind: IdKind) => void,
): void {
  if (event.traceId !== null) visit(event.traceId, 'traceId');
  if (event.attributes.length <= 2) return;
  for (const kind of attributeKinds) {
    const at = event.attributes.indexOf(members[kind]);
    if (at < 0) continue;
    const id = textAt(event.attributes, at + members[kind].length - 1);
    if (id !== '') visit(id, kind);
  }
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
