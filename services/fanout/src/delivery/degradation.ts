import type { CountsByLogLevel, DegradedLevel } from '../protocol/degradation-level.ts';
import type { DegradedBatch } from './degraded-batch.ts';

/** How often a viewer that stays at a degradation level is told what it misses. */
export const tellEveryMs = 1000;

/**
 * A slow viewer's degradation, full → sampled → counts → cut off: its level, and the events that were neither sent nor announced yet. It
 * exists only while the viewer is below full.
 */
export class Degradation {
  level: DegradedLevel = 'sampled';
  /** Left out since the last gap. */
  missed = 0;
  /** The cursor of the last batch of which something was left out. */
  missedTo = '';
  /** When the last gap or mode message was sent, performance.now(). */
  toldAtMs: number;
  /** The viewer is being cut off. */
  isOver = false;
  #counts: CountsByLogLevel = {};

  constructor(nowMs: number) {
    this.toldAtMs = nowMs;
  }

  /** Counts what was left out of the batch that ends at `cursor`. */
  leaveOut({ leftOut, leftOutByLogLevel }: DegradedBatch, cursor: string): void {
    if (leftOut === 0) return;
    this.missed += leftOut;
    this.missedTo = cursor;
    for (const logLevel of Object.keys(leftOutByLogLevel) as (keyof CountsByLogLevel)[])
      this.#counts[logLevel] = (this.#counts[logLevel] ?? 0) + leftOutByLogLevel[logLevel]!;
  }

  /** Returns what was left out since the last mode message, by log level. */
  takeCounts(): CountsByLogLevel {
    const counts = this.#counts;
    this.#counts = {};
    return counts;
  }
}

/** Shares of a viewer's budget. Above the first it is sampled, above the second it gets counts, above the third it is cut off. */
export const degradeAbove = { full: 0.5, sampled: 0.75, counts: 1 } as const;
/** Below these shares it recovers; far enough below the others that it does not alternate with each batch. */
export const recoverBelow = { sampled: 0.125, counts: 0.25 } as const;
