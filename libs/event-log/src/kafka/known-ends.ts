/**
 * How far each partition is known to have got. A broker that was frozen and takes itself for the leader still answers with the end that
 * it had: an end below the known one is not believed before its leader is confirmed.
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

  /** The partition ends here, and what was seen beyond it is lost. */
  confirm(topic: string, partition: number, end: number): void {
    let ends = this.#ends.get(topic);
    if (ends === undefined) this.#ends.set(topic, (ends = new Map<number, number>()));
    ends.set(partition, end);
  }

  /** The topic is another one now. */
  forget(topic: string): void {
    this.#ends.delete(topic);
  }
}
