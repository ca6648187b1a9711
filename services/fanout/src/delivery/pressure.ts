import { budgetShare, rankOf, type Priority } from '../protocol/priority.ts';
import type { Viewer } from './viewer.ts';

const pollMs = 50;
/** Shares never shrink below this, so that everybody still gets something. */
const smallestShare = 1 / 16;
/** At the bound so much of it is kept. */
const keptShare = 0.9;

interface Watched {
  priority: Priority;
  /** In its queue when it was last looked at. */
  bytes: number;
}

/**
 * Bounds what waits for all viewers together. From half of the bound on, everyone's budget shrinks; what would pass the bound is left
 * out and counted; and where a queue that was empty has passed it, the fullest are cut at once, low priorities first, and their
 * viewers resume from the log. Queues that many viewers share the bytes of count as if they did not: memory holds less.
 */
export class Pressure {
  readonly #totalBudget: number;
  readonly #watched = new Map<Viewer, Watched>();
  #timer: NodeJS.Timeout | undefined;
  /** The sum of what the watched had: never less than they have, because queues only get shorter by themselves. */
  #total = 0;
  /** Viewers that were cut. */
  cut = 0;

  /** `totalBudget`: bytes that may wait for all viewers together. */
  constructor(totalBudget: number) {
    this.#totalBudget = totalBudget;
  }

  /** The part of its budget that a subscription of this priority may use at present. */
  shareOf(priority: Priority): number {
    const free = 1 - this.#total / this.#totalBudget;
    return Math.max(smallestShare, Math.min(1, free * 2)) * budgetShare[priority];
  }

  /** Whether so many more bytes may wait. */
  hasRoomFor(bytes: number): boolean {
    return this.#total + bytes <= this.#totalBudget;
  }

  /** Bytes that wait for all viewers, at the most. */
  get queuedBytes(): number {
    return this.#total;
  }

  /** Counts what waits for a viewer who was just written to. A quick one has nothing waiting: the kernel has taken it. */
  wrote(viewer: Viewer, priority: Priority): void {
    const bytes = viewer.queuedBytes;
    // The most frequent case by far; one who was watched is looked at by the next poll.
    if (bytes === 0) return;
    const watched = this.#watched.get(viewer);
    if (watched === undefined) {
      this.#watched.set(viewer, { priority, bytes });
      this.#total += bytes;
      this.#timer ??= setInterval(() => this.#poll(), pollMs).unref();
    } else {
      this.#total += bytes - watched.bytes;
      watched.bytes = bytes;
    }
    if (this.#total > this.#totalBudget) this.#cutFullest();
  }

  /** Counts anew; who has nothing waiting is not watched any more. */
  #poll(): void {
    this.#total = 0;
    for (const [viewer, watched] of this.#watched) {
      watched.bytes = viewer.queuedBytes;
      if (watched.bytes === 0) this.#watched.delete(viewer);
      this.#total += watched.bytes;
    }
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #cutFullest(): void {
    this.#poll();
    const fullest = [...this.#watched].sort(
      ([, a], [, b]) => rankOf(a.priority) - rankOf(b.priority) || b.bytes - a.bytes,
    );
    for (const [viewer, { bytes }] of fullest) {
      if (this.#total <= this.#totalBudget * keptShare) return;
      viewer.terminate();
      this.#watched.delete(viewer);
      this.cut++;
      this.#total -= bytes;
    }
  }
}
