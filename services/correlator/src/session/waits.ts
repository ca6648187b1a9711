import type { Rule } from '@logloom/rules';
import { LinkedQueue, type QueueNode } from './linked-queue.ts';

/** An event that must be followed by another until `deadlineMs`, or its rule matches. */
export interface Wait<Owner> {
  /** Whose event it is. */
  readonly owner: Owner;
  readonly rule: Rule;
  /** The event's timestamp, µs. */
  readonly sinceMicros: number;
  /** The log's clock, ms. */
  readonly deadlineMs: number;
}

export type WaitNode<Owner> = QueueNode<Wait<Owner>>;

/** The waits of one length, in the order of their deadlines. */
interface EqualWaits<Owner> {
  withinMs: number;
  queue: LinkedQueue<Wait<Owner>>;
}

/**
 * The waits of all sessions. Waits of one length expire in the order in which they began, so each length has its own queue and nothing is
 * sorted; there are as many lengths as the rules name.
 */
export class Waits<Owner> {
  /** By length, so that waits that expire at the same record do so in the same order after a restart. */
  #queues: EqualWaits<Owner>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** When the first one expires; null if there is none. */
  get nextDeadlineMs(): number | null {
    let next: number | null = null;
    for (const { queue } of this.#queues)
      if (queue.first !== null && (next === null || queue.first.value.deadlineMs < next))
        next = queue.first.value.deadlineMs;
    return next;
  }

  add(wait: Wait<Owner>, withinMs: number): WaitNode<Owner> {
    this.#size++;
    return this.#lasting(withinMs).queue.push(wait);
  }

  remove(node: WaitNode<Owner>): void {
    this.#size--;
    const { rule } = node.value;
    this.#lasting(rule.sequence!.withinMicros / 1000).queue.remove(node);
  }

  /** The next one that has expired at this time of the log's clock, or null. It stays until it is removed. */
  ranOut(clock: number): Wait<Owner> | null {
    for (const { queue } of this.#queues)
      if (queue.first !== null && queue.first.value.deadlineMs <= clock) return queue.first.value;
    return null;
  }

  #lasting(withinMs: number): EqualWaits<Owner> {
    const found = this.#queues.find((waits) => waits.withinMs === withinMs);
    if (found !== undefined) return found;
    const waits = { withinMs, queue: new LinkedQueue<Wait<Owner>>() };
    this.#queues = [...this.#queues, waits].sort((a, b) => a.withinMs - b.withinMs);
    return waits;
  }
}
