/** How long (ms) a link that is in the log need not be written again. Shorter than a correlator keeps a link in force. */
const freshMs = 1000;
const maxLinks = 50_000;

/** The links that this process has put into the log within the last second or two: most events of a request repeat the same one. */
export class RecentLinks {
  #current = new Set<string>();
  #previous = new Set<string>();
  #since = -Infinity;

  has(link: string, nowMs: number): boolean {
    this.#turn(nowMs);
    return this.#current.has(link) || this.#previous.has(link);
  }

  /** These are durable. */
  add(links: Iterable<string>, nowMs: number): void {
    this.#turn(nowMs);
    for (const link of links) this.#current.add(link);
  }

  #turn(nowMs: number): void {
    const isOld = Math.abs(nowMs - this.#since) >= freshMs;
    if (!isOld && this.#current.size < maxLinks) return;
    this.#previous = Math.abs(nowMs - this.#since) >= 2 * freshMs ? new Set() : this.#current;
    this.#current = new Set();
    this.#since = nowMs;
  }
}
