import { correlationToJson, type Correlation } from '@logloom/schemas';
import type { Condition, FilterNode } from '../ast.ts';
import { FilterSubject } from '../filter-subject.ts';

/** Behind it the name of a label. */
const labelPrefix = 'labels.';

/**
 * A correlation document as filters see it: an event whose attributes are the document's fields, so that ranges, wildcards and quoting
 * mean the same. `service` and `level` mean any member's.
 */
export class CorrelationSubject extends FilterSubject {
  readonly document: Correlation;

  constructor(document: Correlation) {
    super(standIn(document));
    this.document = document;
  }
}

/**
 * The filter as one for CorrelationSubjects, and which of its fields are not among `fields` (labels always are), as they are written
 * in the filter; `message` stands for words.
 */
export function aboutCorrelations(
  ast: FilterNode,
  fields: readonly string[],
): { ast: FilterNode; unknown: string[] } {
  const unknown: string[] = [];
  return { ast: moveToAttributes(ast, new Set(fields), unknown), unknown };
}

function standIn(correlation: Correlation): FilterSubject['event'] {
  const document = correlationToJson(correlation);
  // As in the search: any of its ids is its traceId, requestId and sessionId.
  const { ids, labels, services } = document;
  const attributes = {
    id: document.id,
    correlationId: document.correlationId,
    kind: document.kind,
    correlationKind: document.kind,
    service: services,
    services,
    level: Object.keys(document.levels),
    closeReason: document.closeReason,
    severity: document.severity,
    eventCount: document.eventCount,
    errorCount: document.errorCount,
    durationMs: document.durationMs,
    revision: document.revision,
    rules: document.rules,
    ids,
    traceId: ids,
    requestId: ids,
    sessionId: ids,
    shape: document.shape,
    labels,
  };
  return {
    source: { kind: '', topic: '', partition: 0, offset: 0, index: 0 },
    id: document.id,
    timestamp: correlation.firstAt,
    receivedAt: 0,
    level: 'info',
    service: '',
    host: null,
    message: '',
    correlationId: null,
    correlationKind: null,
    traceId: null,
    spanId: null,
    attributes: JSON.stringify(attributes),
    partition: document.partition,
    offset: document.firstOffset,
  };
}

function moveToAttributes(node: FilterNode, known: ReadonlySet<string>, unknown: string[]): FilterNode {
  switch (node.type) {
    case 'all':
    case 'none':
      return node;
    case 'not':
      return { type: 'not', child: moveToAttributes(node.child, known, unknown) };
    case 'and':
    case 'or':
      return {
        type: node.type,
        children: node.children.map((child) => moveToAttributes(child, known, unknown)),
      };
    case 'level':
      return {
        type: 'or',
        children: node.levels.map((value) => ({
          type: 'attribute',
          path: 'level',
          match: { type: 'equals', value },
        })),
      };
    default: {
      const path = pathOf(node);
      if (!known.has(path) && !path.startsWith(labelPrefix)) unknown.push(path);
      return node.type === 'keyword' ? { type: 'attribute', path, match: node.match } : node;
    }
  }
}

function pathOf(condition: Exclude<Condition, { type: 'level' }>): string {
  if (condition.type === 'attribute') return condition.path;
  return condition.type === 'words' ? 'message' : condition.field;
}
