import { formatCount, formatDateTime, formatDuration, plural } from './format.js';

/**
 * A request's duration beside those of earlier ones with its shape.
 * @typedef {{ requests: number, since?: string, p50Ms?: number, p95Ms?: number, slowerThan?: number, slow: boolean }} Comparison
 */

/** A request's duration, compared; undefined where there are too few requests to compare it with. @param {Comparison} comparison */
export function comparisonText({ requests, since, p50Ms, p95Ms, slowerThan }) {
  if (p50Ms === undefined || slowerThan === undefined || since === undefined) return undefined;
  const typical = p95Ms === undefined ? '' : `, 95 % within ${formatDuration(p95Ms)}`;
  return (
    `longer than ${formatCount(slowerThan)} of ${plural(requests, 'request')} of its shape since ${formatDateTime(since)}: ` +
    `half took ${formatDuration(p50Ms)} or less${typical}`
  );
}
