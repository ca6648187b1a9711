import {
  aboutCorrelations,
  compilePredicate,
  CorrelationSubject,
  requiresKind,
  type FilterLimits,
  type FilterSubject,
} from '@logloom/filter';
import { isLoadtestDocument, loadtestKind } from '@logloom/schemas';
import { liveError, type LiveError } from '../errors.ts';
import { readFilter } from './read-filter.ts';
import type { LiveFilter } from './stream-kind.ts';

/** The fields of a filter on the stream of correlations. `service` and `level` mean any member's. */
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
/** Reads a filter over correlation documents: the language is that of events. */
export function compileCorrelationFilter(
  text: string,
  limits: FilterLimits,
): { ok: true; filter: LiveFilter } | { ok: false; error: LiveError } {
  const read = readFilter(text, limits);
  if (!read.ok) return read;
  const { ast, canonical } = read.filter;
  const about = aboutCorrelations(ast, correlationFields);
  const [field] = about.unknown;
  if (field !== undefined) {
    const message = `correlations have no field ${field}; they have ${correlationFields.join(', ')}`;
    return {
      ok: false,
      error: liveError('bad-filter', { message, position: Math.max(0, text.indexOf(field)) }),
    };
  }
  const matches = compilePredicate({ ast: about.ast, canonical });
  const isForUsers = (subject: FilterSubject): boolean =>
    !(subject instanceof CorrelationSubject && isLoadtestDocument(subject.document));
  return {
    ok: true,
    filter: {
      canonical,
      terms: [],
      // Documents of a load test are for who asks for them (docs/adr, 38).
      matches: requiresKind(read.filter, loadtestKind, 'documents')
        ? matches
        : (subject) => isForUsers(subject) && matches(subject),
    },
  };
}
