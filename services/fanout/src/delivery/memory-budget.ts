import { budgetShare, rankOf, type Priority } from '../protocol/priority.ts';
import type { Viewer } from './viewer.ts';

const pollMs = 50;
/** Shares never shrink below this, so that every viewer still gets something. */
const smallestShare = 1 / 16;
/** Once the budget is exceeded, viewers are cut until this part of it is in use. */
const keptShare = 0.9;

interface Queue {
  priority: Priority;
  /** The bytes that waited for the viewer at the last check. */
  bytes: number;
}

/**
 * Bounds what waits for all viewers together. From half of the budget on, everyone's share shrinks; items that would exceed the budget are
 * left out and counted. If a queue that was empty has exceeded it, the viewers with the fullest queues are cut at once, low priorities
 * first, and resume from the log. Bytes that many viewers share count for each of them, so real memory use is lower.
 */
export class MemoryBudget {
  readonly totalBytes: number;
  readonly #queues = new Map<Viewer, Queue>();
  #timer: NodeJS.Timeout | undefined;
  /** The sum of the queues at the last check: never less than they hold, because between checks they only shrink. */
  #queuedBytes = 0;
  /** Viewers that were cut. */
  cut = 0;

  /** `totalBytes`: bytes that may wait for all viewers together. */
  constructor(totalBytes: number) {
    this.totalBytes = totalBytes;
  }

  /** The part of its own budget that a subscription of this priority may use at present. */
  shareOf(priority: Priority): number {
    const free = 1 - this.#queuedBytes / this.totalBytes;
    return Math.max(smallestShare, Math.min(1, free * 2)) * budgetShare[priority];
  }

  /** Whether this many more bytes may wait. */
  hasRoomFor(bytes: number): boolean {
    return this.#queuedBytes + bytes <= this.totalBytes;
  }

  /** Bytes that wait for all viewers, at most. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Counts what waits for a viewer after a write. Nothing waits for a quick one: the kernel has taken it. */
  wrote(viewer: Viewer, priority: Priority): void {
    const bytes = viewer.queuedBytes;
    // By far the most frequent case; the next poll checks a queue that is counted.
    if (bytes === 0) return;
    const queue = this.#queues.get(viewer);
    if (queue === undefined) {
      this.#queues.set(viewer, { priority, bytes });
      this.#queuedBytes += bytes;
      this.#timer ??= setInterval(() => this.#poll(), pollMs).unref();
    } else {
      this.#queuedBytes += bytes - queue.bytes;
      queue.bytes = bytes;
    }
    if (this.#queuedBytes > this.totalBytes) this.#cutFullest();
  }

  /** Counts all queues again; empty ones are forgotten. */
  #poll(): void {
    this.#queuedBytes = 0;
    for (const [viewer, queue] of this.#queues) {
      queue.bytes = viewer.queuedBytes;
      if (queue.bytes === 0) this.#queues.delete(viewer);
      this.#queuedBytes += queue.bytes;
    }
    if (this.#queues.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #cutFullest(): void {
    this.#poll();
    const fullest = [...this.#queues].sort(
      ([, a], [, b]) => rankOf(a.priority) - rankOf(b.priority) || b.bytes - a.bytes,
    );
    for (const [viewer, { bytes }] of fullest) {
      if (this.#queuedBytes <= this.totalBytes * keptShare) return;
      viewer.terminate();
      this.#queues.delete(viewer);
      this.cut++;
      this.#queuedBytes -= bytes;
    }
  }
}
