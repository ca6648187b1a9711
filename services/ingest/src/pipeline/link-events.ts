import { partitionOf, type NewRecord } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { backfillHeader, type LogEvent } from '@logloom/schemas';
import { forEachLink, type LinkOptions } from '../event/event-links.ts';
import { RecentLinks } from './recent-links.ts';

/** Makes the Link records of events. */
export class EventLinks {
  readonly #options: LinkOptions;
  readonly #serde: Serde;
  readonly #partitions: number;
  readonly #recent = new RecentLinks();

  constructor(options: LinkOptions, serde: Serde, partitions: number) {
    this.#options = options;
    this.#serde = serde;
    this.#partitions = partitions;
  }

  /**
   * The links of one more event of a batch, without those that the log has since a moment ago. `batch` has the links of the batch so far,
   * and gets the new ones.
   */
  of(event: LogEvent, isBackfill: boolean, batch: Set<string>, nowMs: number): NewRecord[] {
    let records = none;
    forEachLink(event, this.#options, (link) => {
      const { id, into } = link;
      const name = `${isBackfill ? 1 : 0}${id}\0${into}`;
      if (batch.has(name) || this.#recent.has(name, nowMs)) return;
      batch.add(name);
      if (records === none) records = [];
      const value = this.#serde.encode('Link', { ...link, cause: null });
      const record = { partition: partitionOf(id, this.#partitions), key: id, value };
      records.push(isBackfill ? { ...record, headers: { [backfillHeader]: 'true' } } : record);
    });
    return records;
  }

  /** The links of a batch are durable. */
  stored(batch: ReadonlySet<string>, nowMs: number): void {
    if (batch.size > 0) this.#recent.add(batch, nowMs);
  }
}

const none: NewRecord[] = [];
