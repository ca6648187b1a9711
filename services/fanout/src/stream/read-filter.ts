import { checkComplexity, parseFilter, type Filter, type FilterLimits } from '@logloom/filter';
import { liveError, type LiveError } from '../errors.ts';

/** Reads a viewer's filter, within the limits. */
export function readFilter(
  text: string,
  limits: FilterLimits,
): { ok: true; filter: Filter } | { ok: false; error: LiveError } {
  const parsed = parseFilter(text);
  if (!parsed.ok) return { ok: false, error: liveError('bad-filter', parsed.error) };
  const excess = checkComplexity(parsed.filter, limits);
  if (excess !== undefined) return { ok: false, error: liveError(excess.code, { message: excess.message }) };
  return parsed;
}
