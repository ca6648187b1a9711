import type { Traffic, Watch } from '../traffic/traffic.ts';

/**
 * The events that a watch matches, in the order of their numbers. A viewer of few of a run's events counts by positions in this list, so
 * that what is missing is an interval.
 */
export class ExpectedEvents {
  readonly watch: Watch;
  readonly #traffic: Traffic;
  /** Numbers of the matching events. */
  #numbers = new Int32Array(1024);
  #length = 0;
  /** Of every number, its position or -1. */
  #positions = new Int32Array(1024);
  #known = 0;

  constructor(traffic: Traffic, watch: Watch) {
    this.#traffic = traffic;
    this.watch = watch;
  }

  /** The position of event `n`, or -1 if the watch does not match it. */
  positionOf(n: number): number {
    this.#extend(n + 1);
    return this.#positions[n]!;
  }

  /** The number of the event at a position that positionOf or countBelow has seen. */
  numberAt(position: number): number {
    return this.#numbers[position]!;
  }

  /** How many of the events with numbers below `n` match. */
  countBelow(n: number): number {
    this.#extend(n);
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#numbers[middle]! < n) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #extend(count: number): void {
    if (count <= this.#known) return;
    if (count > this.#positions.length) this.#positions = grown(this.#positions, count);
    for (let n = this.#known; n < count; n++) {
      if (!this.#traffic.matches(this.watch, n)) {
        this.#positions[n] = -1;
        continue;
      }
      if (this.#length === this.#numbers.length) this.#numbers = grown(this.#numbers, this.#length + 1);
      this.#numbers[this.#length] = n;
      this.#positions[n] = this.#length++;
    }
    this.#known = count;
  }
}

function grown(array: Int32Array<ArrayBuffer>, count: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(count, array.length * 2));
  larger.set(array);
  return larger;
}
