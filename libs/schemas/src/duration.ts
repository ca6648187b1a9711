/** The units of a time that people write, in milliseconds. */
export const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A time such as 30s, of at most nine digits, in milliseconds; NaN for anything else. */
export function durationMs(text: string): number {
  const [, amount, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  return amount === undefined ? Number.NaN : Number(amount) * unitMs[unit!]!;
}
