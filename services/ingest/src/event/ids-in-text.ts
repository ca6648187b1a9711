import { isPlaceholderId } from '@logloom/schemas';

/** The ids that a text may name. */
export type TextId = 'correlationId' | 'traceId' | 'spanId' | 'requestId';

/** An id that a message names: `request_id: 7f3a…`, `traceId=4bf9…`, `"correlation-id": "c-1"`, `TraceId: 00-…`. */
const named =
  /\b(trace|span|request|req|correlation|x-request|x-correlation)[-_. ]?id\b["']?(?: ?[=:] ?| is | )["'[<(]?([A-Za-z0-9][\w.:/-]{3,127})/gi;
const slotOf: Readonly<Record<string, TextId>> = {
  trace: 'traceId',
  span: 'spanId',
  request: 'requestId',
  req: 'requestId',
  'x-request': 'requestId',
  correlation: 'correlationId',
  'x-correlation': 'correlationId',
};
const digit = /\d/;
const trailing = /[.:/-]+$/;

/** Calls back with the ids that a text names, each with its field; a word without a digit is none. */
export function forEachIdInText(text: string, visit: (field: TextId, id: string) => void): void {
  named.lastIndex = 0;
  for (let match = named.exec(text); match !== null; match = named.exec(text)) {
    const id = match[2]!.replace(trailing, '');
    if (id.length >= 4 && digit.test(id) && !isPlaceholderId(id)) visit(slotOf[match[1]!.toLowerCase()]!, id);
  }
}
