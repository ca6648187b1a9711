const secondsPerUnit = { ms: 0.001, s: 1, m: 60, h: 3_600 };

/** The seconds of a duration as scenarios write it, such as `500ms` or `5m`; the schema holds its form. */
export function secondsOf(duration: string): number {
  const [, number, unit] = /^([\d.]+)(ms|s|m|h)$/.exec(duration)!;
  return Number(number) * secondsPerUnit[unit as keyof typeof secondsPerUnit];
}
