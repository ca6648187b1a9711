import { setTimeout as sleep } from 'node:timers/promises';

/** The longest pause after a quick look, and after a slow one. */
const longestPauseMs = 500;
const longestAfterSlowMs = 2_000;

/**
 * Waits until the condition holds. It looks often at first, and twice a second after ten seconds. After a look that took long it pauses
 * three times as long: looking must not slow down what is looked at. An error that the condition throws counts as "not yet". Rejects when
 * it takes longer than `timeoutMs`, which is no assertion about time: it only ends a test that would wait for ever.
 */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 120_000,
): Promise<void> {
  const startMs = Date.now();
  for (let last: unknown; ;) {
    const lookedMs = Date.now();
    try {
      if (await condition()) return;
      last = undefined;
    } catch (error) {
      last = error;
    }
    const now = Date.now();
    const waitedMs = now - startMs;
    if (waitedMs > timeoutMs) throw new Error(`not after ${timeoutMs} ms: ${what}`, { cause: last });
    const pauseMs = Math.min(longestPauseMs, 5 + waitedMs / 20);
    await sleep(Math.max(pauseMs, Math.min(longestAfterSlowMs, 3 * (now - lookedMs))));
  }
}
