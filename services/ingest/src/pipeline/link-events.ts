import { partitionOf, type NewRecord } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import {
  backfillHeader,
  canaryKind,
  forEachOtherId,
  isPlaceholderId,
  loadtestKind,
  type IdKind,
  type LogEvent,
} from '@logloom/schemas';
import { RecentLinks } from './recent-links.ts';

export interface LinkOptions {
  /** The kinds of ids that join, and the order that decides which of them takes the others. */
  order: readonly IdKind[];
  joins: ReadonlySet<IdKind>;
}

/** Longer ones are refused in fields, but not in attributes. */
const maxIdLength = 256;

/** Makes the Link records by which the ids of an event join the request of its correlation id. */
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
    const { order, joins } = this.#options;
    const { correlationId: into, correlationKind: kind } = event;
    if (into === null || kind === null || kind === loadtestKind || kind === canaryKind) return none;
    if (!joins.has(kind as IdKind)) return none;
    let records = none;
    forEachOtherId(event, (id, other) => {
      if (id === into || !joins.has(other) || id.length > maxIdLength || isPlaceholderId(id)) return;
      const link = `${isBackfill ? 1 : 0}${id}\0${into}`;
      if (batch.has(link) || this.#recent.has(link, nowMs)) return;
      batch.add(link);
      if (records === none) records = [];
      const value = this.#serde.encode('Link', {
        id,
        into,
        kind,
        rank: order.indexOf(kind as IdKind),
        cause: null,
      });
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
