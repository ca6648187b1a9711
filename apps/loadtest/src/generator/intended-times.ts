/** The intended time of each event, computed when it is first asked for. */
export class IntendedTimes {
  readonly #timeOf: (n: number) => number;
  #times = new Float64Array(1_024);

  constructor(timeOf: (n: number) => number) {
    this.#timeOf = timeOf;
  }

  of(n: number): number {
    if (n >= this.#times.length) {
      const larger = new Float64Array(Math.max(n + 1, this.#times.length * 2));
      larger.set(this.#times);
      this.#times = larger;
    }
    // No event is due at the time 0.
    return this.#times[n]! || (this.#times[n] = this.#timeOf(n));
  }
}
