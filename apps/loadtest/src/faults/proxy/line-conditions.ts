import type { NetworkConditions } from '../../scenario/fault-plan.ts';

/** What happens to the bytes of one direction of a connection. */
export interface LineConditions extends NetworkConditions {
  /** Nothing passes. */
  isHeld: boolean;
  /** A byte is changed in this share of the chunks. */
  corruptRate: number;
}

/** Several at once: latencies add up, a segment has to survive each loss, and the narrowest part limits. Undefined: nothing happens. */
export function combined(all: readonly LineConditions[]): LineConditions | undefined {
  if (all.length === 0) return undefined;
  const sum = (key: 'latencyMs' | 'jitterMs'): number =>
    all.reduce((total, each) => total + (each[key] ?? 0), 0);
  const survives = (key: 'loss' | 'corruptRate'): number =>
    all.reduce((total, each) => total * (1 - (each[key] ?? 0)), 1);
  const narrowest = Math.min(...all.map(({ bytesPerSecond = Infinity }) => bytesPerSecond));
  return {
    isHeld: all.some(({ isHeld }) => isHeld),
    corruptRate: 1 - survives('corruptRate'),
    latencyMs: sum('latencyMs'),
    jitterMs: sum('jitterMs'),
    loss: 1 - survives('loss'),
    ...(narrowest === Infinity ? {} : { bytesPerSecond: narrowest }),
  };
}

/** Of Ethernet, without TCP's and IP's headers. */
const segmentBytes = 1_448;
/** The shortest time after which Linux sends a segment again; each further try waits twice as long. */
const retransmissionMs = 200;
const mostRetransmissions = 8;

/**
 * How long a chunk takes, in ms, beside the time for which the line is busy with it. A lost segment stalls all behind it, as TCP keeps
 * the order: a proxy has no packets to lose, but this is what they would do to the stream.
 */
export function delayMs(
  { latencyMs = 0, jitterMs = 0, loss = 0 }: LineConditions,
  bytes: number,
  random: () => number,
): number {
  let delay = latencyMs + jitterMs * random();
  if (loss === 0) return delay;
  for (let segment = 0; segment < bytes; segment += segmentBytes)
    for (let attempt = 0; attempt < mostRetransmissions && random() < loss; attempt++)
      delay += retransmissionMs * 2 ** attempt;
  return delay;
}
