import type { DurableCursor, DurableCursors } from './durable-cursors.ts';
import type { Subscription } from '../delivery/subscription.ts';

interface Held {
  name: string;
  filter: string;
  onTaken: () => void;
}

/** The durable ones among a viewer's subscriptions; created for the first one. */
export class DurableSubscriptions {
  readonly #cursors: DurableCursors;
  /** Separates the names of one principal from those of another. */
  readonly #prefix: string;
  readonly #held = new Map<Subscription, Held>();

  constructor(cursors: DurableCursors, prefix: string) {
    this.#cursors = cursors;
    this.#prefix = prefix;
  }

  /** Takes the name for a subscription; returns its cursor, if the name is known. */
  async take(
    subscription: Subscription,
    name: string,
    filter: string,
    onTaken: () => void,
  ): Promise<DurableCursor | undefined> {
    const held = { name: this.#prefix + name, filter, onTaken };
    this.#held.set(subscription, held);
    return this.#cursors.take(held.name, this.#prefix, filter, onTaken);
  }

  has(subscription: Subscription): boolean {
    return this.#held.has(subscription);
  }

  /** Keeps the cursor; `onSaved` is called when it is durable. */
  move(subscription: Subscription, cursor: string, onSaved?: () => void): void {
    const held = this.#held.get(subscription);
    if (held === undefined) return;
    const stream = subscription.stream.kind.name;
    this.#cursors.move(held.name, { stream, filter: held.filter, cursor }, onSaved);
  }

  release(subscription: Subscription): void {
    const held = this.#held.get(subscription);
    if (held === undefined) return;
    this.#held.delete(subscription);
    this.#cursors.release(held.name, held.onTaken);
  }

  close(): void {
    for (const subscription of this.#held.keys()) this.release(subscription);
  }
}
