/** More channels are not known: the least recent one is forgotten first. */
const maxChannels = 10_000;

/**
 * The acknowledgements of Splunk's collector. A request is answered only when it is durable, so every number that was given is
 * acknowledged. After a restart no number is known: then a sender sends again.
 */
export class AckChannels {
  /** By channel, the number that the next request gets. */
  readonly #next = new Map<string, number>();

  /** Returns the number of a request that is durable. */
  next(channel: string): number {
    const id = this.#next.get(channel) ?? 0;
    this.#next.delete(channel);
    this.#next.set(channel, id + 1);
    if (this.#next.size > maxChannels) this.#next.delete(this.#next.keys().next().value!);
    return id;
  }

  /** Says of each number whether its request is durable. */
  known(channel: string | undefined, ids: readonly number[]): Record<string, boolean> {
    const next = channel === undefined ? 0 : (this.#next.get(channel) ?? 0);
    return Object.fromEntries(ids.map((id) => [String(id), id >= 0 && id < next]));
  }
}
