const meanOf = 3;
/** So many ticks at most pass until the tail has come; fewer items than it could have may exist. */
const tailTicks = 3;

/** How many items come a second, over the last three. The tail that a subscription begins with does not count: it is old. */
export class ArrivalRate {
  /** @type {number[]} */ #seconds = [];
  #received = 0;
  /** Items that may still belong to the tail. */
  #tail = 0;
  #ticks = 0;

  /** A subscription begins with the last `tail` items. @param {number} tail */
  begin(tail) {
    this.#seconds = [];
    this.#received = 0;
    this.#tail = tail;
    this.#ticks = tailTicks;
  }

  /** @param {number} items */
  add(items) {
    const old = Math.min(items, this.#tail);
    this.#tail -= old;
    this.#received += items - old;
  }

  /** Call it once a second. Returns the rate; undefined while the tail may still come. */
  tick() {
    if (this.#tail > 0 && --this.#ticks > 0) return undefined;
    this.#tail = 0;
    this.#seconds.push(this.#received);
    this.#received = 0;
    if (this.#seconds.length > meanOf) this.#seconds.shift();
    return this.#seconds.reduce((sum, count) => sum + count, 0) / this.#seconds.length;
  }
}
