import type { Source } from '@logloom/schemas';
import type { Producer } from './producer.ts';

/** The sources of a request's numbered events, until they are durable. */
export class NumberedEvents {
  readonly #producer: Producer;
  readonly #waiting: Source[] = [];
  #next = 0;

  constructor(producer: Producer) {
    this.#producer = producer;
  }

  isDurable(source: Source): boolean {
    return this.#producer.isDurable(source);
  }

  accepted(source: Source): void {
    this.#waiting.push(source);
  }

  /** Reports the next `count` accepted events as durable, in the order in which they were accepted. */
  stored(count: number): void {
    for (const end = this.#next + count; this.#next < end; this.#next++)
      this.#producer.stored(this.#waiting[this.#next]!);
  }
}
