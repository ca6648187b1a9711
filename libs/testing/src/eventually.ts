import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until the condition holds. Looks often at first, and ten times a second after a while. An error that it throws counts as "not yet". Rejects when it takes longer than
 * `timeoutMs`, which is no assertion about time: it only ends a test that would wait for ever.
 */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 120_000,
): Promise<void> {
  const startMs = Date.now();
  for (let last: unknown; ;) {
    try {
      if (await condition()) return;
      last = undefined;
    } catch (error) {
      last = error;
    }
    const waitedMs = Date.now() - startMs;
    if (waitedMs > timeoutMs) throw new Error(`not after ${timeoutMs} ms: ${what}`, { cause: last });
    await sleep(Math.min(100, 5 + waitedMs / 10));
  }
}
