import type { Condition } from '@logloom/filter';
import { SearchStoreError } from './search-store.ts';

export type AttributeMatch = Extract<Condition, { type: 'attribute' }>['match'];
export type StringMatch = Extract<Condition, { type: 'keyword' }>['match'];

/** Without a prototype: a filter may name a field `constructor`. */
function columns(named: Record<string, string>): Readonly<Record<string, string>> {
  return Object.freeze(Object.assign(Object.create(null) as Record<string, string>, named));
}

const textColumns = columns({
  id: 'id',
  correlationId: 'correlation_id',
  correlationKind: 'kind',
  kind: 'kind',
  closeReason: 'close_reason',
  severity: 'severity',
  shape: 'shape',
});
const numberColumns = columns({
  eventCount: 'event_count',
  errorCount: 'error_count',
  durationMs: 'duration_ms',
  revision: 'revision',
  partition: 'partition',
});
const listColumns = columns({
  service: 'services',
  services: 'services',
  rules: 'rules',
  ids: 'ids',
  traceId: 'ids',
  requestId: 'ids',
  sessionId: 'ids',
});
const labelPrefix = 'labels.';

/**
 * The fields of a filter of correlation documents, with their columns:
 * - `id`, `correlationId`, `kind` (or `correlationKind`), `closeReason`, `severity`: the document's own text;
 * - `eventCount`, `errorCount`, `durationMs`, `revision`, `partition`: its numbers;
 * - `timestamp`: its `firstAt`;
 * - `ids`: its correlation id and every other id of its members; `traceId`, `requestId` and `sessionId` are the same;
 * - `shape`: its own text; `labels.<name>`: the label's value;
 * - `level`, `service`, `rules`: true when any member, or any rule, has the value. So `level:error AND service:pay` means an error in any
 *   service and a member of `pay`, not one event that is both; and `NOT level:error` means no error at all.
 *
 * Words and every other field are `bad-filter`: a document does not hold its members' texts.
 */
export const fieldsOfDocuments = { texts: textColumns, numbers: numberColumns, lists: listColumns };

/** The label that a field names. */
export function labelOf(field: string): string | undefined {
  return field.startsWith(labelPrefix) ? field.slice(labelPrefix.length) : undefined;
}

export function unsupported(field: string): SearchStoreError {
  return new SearchStoreError('bad-filter', `correlation documents have no field '${field}'`, {
    subject: field,
  });
}

export function unsupportedWords(words: readonly string[]): SearchStoreError {
  return new SearchStoreError(
    'bad-filter',
    `'${words.join(' ')}': correlation documents have no words; search the events for them`,
    { subject: words[0]! },
  );
}

export function notANumber(field: string): SearchStoreError {
  return new SearchStoreError('bad-filter', `${field} is a number: use a number, or a range of numbers`, {
    subject: field,
  });
}
