import { budgetShare, rankOf, type Priority } from './priority.ts';
import type { Viewer } from './viewer.ts';

const pollMs = 50;
/** A viewer with less than this in its queue counts as none: thousands of quick ones are not worth looking at. */
export const watchedBytes = 32_768;
/** Shares never shrink below this, so that everybody still gets something. */
const smallestShare = 1 / 16;

/**
 * Bounds what waits for all viewers together. From half of the bound on, everyone's budget shrinks; at the bound the fullest queues
 * are cut, low priorities first, and their viewers resume from the log.
 */
export class Pressure {
  readonly #totalBudget: number;
  readonly #watched = new Map<Viewer, Priority>();
  #timer: NodeJS.Timeout | undefined;
  #share = 1;
  /** Viewers that were cut. */
  cut = 0;

  /** `totalBudget`: bytes that may wait for all viewers together. */
  constructor(totalBudget: number) {
    this.#totalBudget = totalBudget;
  }

  /** The part of its budget that a subscription of this priority may use at present. */
  shareOf(priority: Priority): number {
    return this.#share * budgetShare[priority];
  }

  /** Bytes that wait for the viewers with a queue worth looking at. */
  get queuedBytes(): number {
    let total = 0;
    for (const viewer of this.#watched.keys()) total += viewer.queuedBytes;
    return total;
  }

  /** Counts the viewer's queue until it is short again; for those with more than watchedBytes. */
  watch(viewer: Viewer, priority: Priority): void {
    this.#watched.set(viewer, priority);
    this.#timer ??= setInterval(() => this.#poll(), pollMs).unref();
  }

  #poll(): void {
    for (const viewer of this.#watched.keys())
      if (viewer.queuedBytes < watchedBytes) this.#watched.delete(viewer);
    if (this.queuedBytes > this.#totalBudget) this.#cutFullest();
    const free = 1 - this.queuedBytes / this.#totalBudget;
    this.#share = Math.max(smallestShare, Math.min(1, free * 2));
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #cutFullest(): void {
    const queues = Array.from(this.#watched, ([viewer, priority]) => ({
      viewer,
      rank: rankOf(priority),
      bytes: viewer.queuedBytes,
    })).sort((a, b) => a.rank - b.rank || b.bytes - a.bytes);
    let total = queues.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { viewer, bytes } of queues) {
      if (total <= this.#totalBudget * 0.9) return;
      viewer.terminate();
      this.#watched.delete(viewer);
      this.cut++;
      total -= bytes;
    }
  }
}
