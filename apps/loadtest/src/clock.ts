/** Now, in ms since 1970 with fractions: all processes of a machine agree on it, and no correction of the clock moves it during a run. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now();
}
