/** Ids that are counted at once; the one that joined nothing for longest is forgotten. */
const maxIds = 1000;

/**
 * Finds ids that requests share which do not belong together, such as a tenant's. It counts for as long as the process runs, however far
 * apart the requests are. What it finds has to get into the log before it has an effect.
 */
export class FanIn {
  readonly #requests = new Map<string, Set<string>>();

  /** Two requests share an id; returns how many share it that are known. Beyond `limit` it counts no further. */
  add(id: string, requests: readonly string[], limit: number): number {
    const known = this.#requests.get(id) ?? new Set();
    this.#requests.delete(id);
    if (this.#requests.size >= maxIds) this.#requests.delete(this.#requests.keys().next().value!);
    this.#requests.set(id, known);
    for (const request of requests) if (known.size <= limit) known.add(request);
    return known.size;
  }
}
