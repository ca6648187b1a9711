import type { TakeOverProgress } from '@logloom/column-store';
import type { Logger } from '@logloom/telemetry';

const everyMs = 10_000;

/** Logs how far the stores of an earlier release are taken over: the beginning, each ten seconds, and the end. */
export function reportTakeOver(logger: Pick<Logger, 'info'>): (progress: TakeOverProgress) => void {
  let toldAtMs = -Infinity;
  return ({ done, all }) => {
    const now = performance.now();
    if (now - toldAtMs < everyMs && done < all) return;
    toldAtMs = now;
    logger.info({ done, all }, 'stores of an earlier release are taken over');
  };
}
