/** From the lowest to the highest; where several rules set one, the highest counts. */
export const severities = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];

/** The higher of two severities. */
export function higherSeverity(a: Severity | null, b: Severity | null): Severity | null {
  if (a === null || b === null) return a ?? b;
  return severities.indexOf(a) >= severities.indexOf(b) ? a : b;
}
