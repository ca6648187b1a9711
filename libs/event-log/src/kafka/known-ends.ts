/**
 * The highest end that is known of each partition. A broker that was frozen and still believes that it leads answers with an old end: an
 * end below the known one is not accepted before its leader is confirmed.
 */
export class KnownEnds {
  readonly #ends = new Map<string, Map<number, number>>();

  /** The highest end that was seen; undefined when none was. */
  of(topic: string, partition: number): number | undefined {
    return this.#ends.get(topic)?.get(partition);
  }

  /** There is, or was, a record before this offset. */
  see(topic: string, partition: number, end: number): void {
    if (end > (this.of(topic, partition) ?? -1)) this.confirm(topic, partition, end);
  }

  /** The partition ends here; records that were seen beyond it are lost. */
  confirm(topic: string, partition: number, end: number): void {
    let ends = this.#ends.get(topic);
    if (ends === undefined) this.#ends.set(topic, (ends = new Map<number, number>()));
    ends.set(partition, end);
  }

  /** The topic was recreated. */
  forget(topic: string): void {
    this.#ends.delete(topic);
  }
}
