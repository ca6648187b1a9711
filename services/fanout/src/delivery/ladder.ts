import type { LadderMode, LadderPart, LevelCounts } from './ladder-part.ts';

/** How often a viewer who stays on a step is told what it costs. */
export const tellEveryMs = 1000;

/**
 * A slow viewer's place on the ladder full → sampled → counts → cut off, and what it was not sent and not told yet. It exists only
 * while the viewer is below full.
 */
export class Ladder {
  mode: LadderMode = 'sampled';
  /** Left out since the last gap. */
  missed = 0;
  /** The cursor of the last batch of which something was left out. */
  missedTo = '';
  /** When the last gap or mode was told, performance.now(). */
  toldAt: number;
  /** The viewer is being cut off. */
  isOver = false;
  #counts: LevelCounts = {};

  constructor(nowMs: number) {
    this.toldAt = nowMs;
  }

  /** Counts what the part leaves out of the batch that ends at `cursor`. */
  leaveOut({ leftOut, byLevel }: LadderPart, cursor: string): void {
    if (leftOut === 0) return;
    this.missed += leftOut;
    this.missedTo = cursor;
    for (const level of Object.keys(byLevel) as (keyof LevelCounts)[])
      this.#counts[level] = (this.#counts[level] ?? 0) + byLevel[level]!;
  }

  /** What was left out since the last mode message, by level. */
  takeCounts(): LevelCounts {
    const counts = this.#counts;
    this.#counts = {};
    return counts;
  }
}

/** Shares of a viewer's budget. Above the first it is sampled, above the second it gets counts, above the third it is cut off. */
export const stepsDownAt = { full: 0.5, sampled: 0.75, counts: 1 } as const;
/** Below these shares it steps up again; far enough under the others that it does not go to and fro with each batch. */
export const stepsUpAt = { sampled: 0.125, counts: 0.25 } as const;
