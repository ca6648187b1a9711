import { canDecideCorrelations, compileCorrelationAccess } from '@logloom/auth';
import { aboutCorrelations, compilePredicate, type CorrelationSubject } from '@logloom/filter';
import { liveError } from '../errors.ts';
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
/** Reads a filter over correlation documents: the language is that of events. */
export const compileCorrelationFilter: StreamKind['compile'] = (text, limits, imposed) => {
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
