import { setImmediate as nextTurn } from 'node:timers/promises';

/** The longest time that one sender's events take before others have their turn, ms. */
const turnMs = 20;

/** Lets others run when the work on one request's events has taken a while: events are not alike. */
export class Turns {
  #beganMs = performance.now();

  get isOver(): boolean {
    return performance.now() - this.#beganMs > turnMs;
  }

  async next(): Promise<void> {
    await nextTurn();
    this.#beganMs = performance.now();
  }
}
