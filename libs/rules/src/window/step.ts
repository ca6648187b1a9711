const steps = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300].map((seconds) => seconds * 1000);

/** How many steps a window has at least, if it is long enough. */
const stepsPerWindow = 30;

/** How often (ms) a sliding window of this length is judged: about thirty times in it, at most every second, at least every 5 minutes. */
export function stepOf(windowMs: number): number {
  const most = windowMs / stepsPerWindow;
  return steps.findLast((step) => step <= most && windowMs % step === 0) ?? steps[0]!;
}
