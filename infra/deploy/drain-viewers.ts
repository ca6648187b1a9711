import { setTimeout as sleep } from 'node:timers/promises';
import { postAt } from '../../apps/logloom/src/commands/endpoint.ts';

const askEveryMs = 500;
/** Beyond the drain's own time, for the last viewers to close. */
const reserveMs = 5_000;

/**
 * Sends a fan-out's viewers away over that time, as `logloom drain` does, and waits until none is left or the time has passed. Returns
 * how many there were, and how many are left. Throws CommandError when it does not respond, or refuses the token.
 */
export async function drainViewers(
  url: string,
  token: string | undefined,
  overSeconds: number,
): Promise<{ before: number; left: number }> {
  const overMs = Math.round(overSeconds * 1000);
  const deadline = performance.now() + overMs + reserveMs;
  const ask = async (): Promise<number> => {
    const answer = await postAt({ url, token }, `/admin/drain?over=${overMs}`);
    return (answer as { viewers: number }).viewers;
  };
  const before = await ask();
  let left = before;
  while (left > 0 && performance.now() < deadline) {
    await sleep(askEveryMs);
    left = await ask();
  }
  return { before, left };
}
