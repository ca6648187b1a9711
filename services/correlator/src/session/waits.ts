import type { Rule } from '@logloom/rules';
import type { Group } from './group.ts';
import { LinkedQueue, type QueueNode } from './linked-queue.ts';

/** An event that must be followed by another until `deadline`, or its rule matches. */
export interface Wait {
  readonly group: Group;
  readonly rule: Rule;
  /** The event's timestamp, µs. */
  readonly since: number;
  /** The log's clock, ms. */
  readonly deadline: number;
}

export type WaitNode = QueueNode<Wait>;

interface Lane {
  withinMs: number;
  queue: LinkedQueue<Wait>;
}

/**
 * The waits of all groups. Those that last equally long run out in the order in which they began, so each length has a queue of its own
 * and nothing is sorted; there are as many lengths as the rules name.
 */
export class Waits {
  /** By length; so what runs out at the same record does so in the same order after a restart. */
  #lanes: Lane[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** When the first one runs out; null when there is none. */
  get nextDeadline(): number | null {
    let next: number | null = null;
    for (const { queue } of this.#lanes)
      if (queue.first !== null && (next === null || queue.first.value.deadline < next))
        next = queue.first.value.deadline;
    return next;
  }

  add(wait: Wait, withinMs: number): WaitNode {
    this.#size++;
    return this.#lane(withinMs).queue.push(wait);
  }

  remove(node: WaitNode): void {
    this.#size--;
    const { rule } = node.value;
    this.#lane(rule.sequence!.withinMicros / 1000).queue.remove(node);
  }

  /** The next one that has run out at this time of the log's clock, or null. It stays until it is removed. */
  ranOut(clock: number): Wait | null {
    for (const { queue } of this.#lanes)
      if (queue.first !== null && queue.first.value.deadline <= clock) return queue.first.value;
    return null;
  }

  #lane(withinMs: number): Lane {
    const found = this.#lanes.find((lane) => lane.withinMs === withinMs);
    if (found !== undefined) return found;
    const lane = { withinMs, queue: new LinkedQueue<Wait>() };
    this.#lanes = [...this.#lanes, lane].sort((a, b) => a.withinMs - b.withinMs);
    return lane;
  }
}
