/** Calls `tell` with how often it was called itself since the last time, but no more than once in `ms`. */
export function atMostEvery<T extends unknown[]>(
  ms: number,
  tell: (count: number, ...last: T) => void,
): (...args: T) => void {
  let toldAt = -Infinity;
  let count = 0;
  return (...args) => {
    count++;
    const now = performance.now();
    if (now - toldAt < ms) return;
    toldAt = now;
    tell(count, ...args);
    count = 0;
  };
}
