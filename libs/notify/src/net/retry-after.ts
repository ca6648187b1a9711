const longestMs = 3_600_000;

/**
 * What a Retry-After header says (RFC 9110, 10.2.3: seconds or a date), in ms from `nowMs`; undefined if it says nothing that can be read. At
 * most an hour: a receiver must not put off what people wait for.
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), longestMs);
}
