import type { EventLog } from '@logloom/event-log';
import { topics } from '@logloom/schemas';
import { parseMetadata } from '../recovery/restart-point.ts';

/** How long (ms) an answer counts; the correlator commits less often. */
const freshMs = 200;

/** Up to where the correlator has written the documents of each partition of logs.events. Shared by all partitions of this process. */
export class CorrelatedUpTo {
  readonly #log: Pick<EventLog, 'committed'>;
  readonly #group: string;
  #askedAtMs = -Infinity;
  #positions: Promise<number[]> = Promise.resolve([]);

  /** `group`: the correlator's. */
  constructor(log: Pick<EventLog, 'committed'>, group: string) {
    this.#log = log;
    this.#group = group;
  }

  /** All documents that were closed before this offset of the partition are in logs.correlations. */
  async offset(partition: number): Promise<number> {
    if (performance.now() - this.#askedAtMs >= freshMs) {
      this.#askedAtMs = performance.now();
      this.#positions = this.#ask();
    }
    return (await this.#positions)[partition] ?? 0;
  }

  async #ask(): Promise<number[]> {
    const commits = await this.#log.committed(this.#group, topics.events);
    return commits.map((commit) => parseMetadata(commit).position);
  }
}
