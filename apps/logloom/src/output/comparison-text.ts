/** The shown part of a request's comparison. */
export interface ComparisonJson {
  requests: number;
  since?: string;
  p50Ms?: number;
  p95Ms?: number;
  slowerThan?: number;
  slow: boolean;
}

/** A request's duration beside those of earlier ones of its shape; undefined where they are too few. */
export function comparisonText({
  requests,
  since,
  p50Ms,
  p95Ms,
  slowerThan,
}: ComparisonJson): string | undefined {
  if (p50Ms === undefined || slowerThan === undefined) return undefined;
  const p95 = p95Ms === undefined ? '' : `, p95 ${p95Ms} ms`;
  return `longer than ${slowerThan} of ${requests} requests of its shape since ${since?.slice(0, 19)}Z: median ${p50Ms} ms${p95}`;
}
