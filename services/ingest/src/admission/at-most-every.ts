/** Returns a function that calls `report` at most once in `intervalMs`, with the number of its own calls since the last time. */
export function atMostEvery<T extends unknown[]>(
  intervalMs: number,
  report: (count: number, ...last: T) => void,
): (...args: T) => void {
  let reportedAtMs = -Infinity;
  let count = 0;
  return (...args) => {
    count++;
    const nowMs = performance.now();
    if (nowMs - reportedAtMs < intervalMs) return;
    reportedAtMs = nowMs;
    report(count, ...args);
    count = 0;
  };
}
