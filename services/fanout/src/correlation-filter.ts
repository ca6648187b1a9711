import { canDecideCorrelations, compileCorrelationAccess } from '@logloom/auth';
import { compilePredicate, FilterSubject, type Condition, type FilterNode } from '@logloom/filter';
import { correlationToJson, type Correlation } from '@logloom/schemas';
import { liveError } from './errors.ts';
import { readFilter } from './read-filter.ts';
import type { StreamKind } from './stream-kind.ts';

/** What a filter on the stream of correlations may ask about. `service` and `level` mean any member's. */
export const correlationFields = [
  'correlationId',
  'kind',
  'service',
  'level',
  'closeReason',
  'severity',
  'eventCount',
  'errorCount',
  'durationMs',
  'rules',
  'ids',
  'traceId',
  'requestId',
  'sessionId',
  'shape',
] as const;
/** Behind it the name of a label. */
const labelPrefix = 'labels.';

/**
 * Reads a filter over correlation documents. The language is that of events; the document stands in as an event whose attributes
 * are correlationFields, so that ranges, wildcards and quoting mean the same.
 */
export const compileCorrelationFilter: StreamKind['compile'] = (text, limits, imposed) => {
  const read = readFilter(text, limits);
  if (!read.ok) return read;
  const { ast, canonical } = read.filter;
  const unknown: string[] = [];
  const moved = moveToAttributes(ast, unknown);
  const [field] = unknown;
  if (field !== undefined) {
    const message = `correlations have no field ${field}; they have ${correlationFields.join(', ')}`;
    return {
      ok: false,
      error: liveError('bad-filter', { message, position: Math.max(0, text.indexOf(field)) }),
    };
  }
  const matches = compilePredicate({ ast: moved, canonical });
  if (imposed === undefined) return { ok: true, filter: { canonical, terms: [], matches } };
  // Nobody could say which documents were left out, so none are better than some.
  if (!canDecideCorrelations(imposed)) {
    const message = `your token's filter asks for more than a document tells of its members; search /api/correlations instead`;
    return { ok: false, error: liveError('forbidden', { message }) };
  }
  const maySee = compileCorrelationAccess(imposed);
  return {
    ok: true,
    filter: {
      canonical: `${canonical} of members ${imposed.canonical}`,
      terms: [],
      matches: (subject) => matches(subject) && maySee((subject as CorrelationSubject).document) === true,
    },
  };
};

/** The document as that stand-in. */
export class CorrelationSubject extends FilterSubject {
  readonly document: Correlation;

  constructor(document: Correlation) {
    super(standIn(document));
    this.document = document;
  }
}

function standIn(correlation: Correlation): FilterSubject['event'] {
  const document = correlationToJson(correlation);
  // As in the search: any of its ids is its traceId, requestId and sessionId.
  const { ids, labels } = document;
  const attributes: Record<(typeof correlationFields)[number] | 'labels', unknown> = {
    correlationId: document.correlationId,
    kind: document.kind,
    service: document.services,
    level: Object.keys(document.levels),
    closeReason: document.closeReason,
    severity: document.severity,
    eventCount: document.eventCount,
    errorCount: document.errorCount,
    durationMs: document.durationMs,
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
    timestamp: 0,
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

function moveToAttributes(node: FilterNode, unknown: string[]): FilterNode {
  switch (node.type) {
    case 'all':
    case 'none':
      return node;
    case 'not':
      return { type: 'not', child: moveToAttributes(node.child, unknown) };
    case 'and':
    case 'or':
      return { type: node.type, children: node.children.map((child) => moveToAttributes(child, unknown)) };
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
      const isKnown = (correlationFields as readonly string[]).includes(path) || path.startsWith(labelPrefix);
      if (!isKnown) unknown.push(path);
      return node.type === 'keyword' ? { type: 'attribute', path, match: node.match } : node;
    }
  }
}

function pathOf(condition: Exclude<Condition, { type: 'level' }>): string {
  if (condition.type === 'attribute') return condition.path;
  return condition.type === 'words' ? 'message' : condition.field;
}
