import { partitionOf, type EventLog, type LogRecord, type NewRecord } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { backfillHeader, topics, type Forward } from '@logloom/schemas';
import { tryDecode } from '../try-decode.ts';
import { causedRecords, type CausedForward, type CausedLink } from './caused-records.ts';
import type { JoinEffect } from './join-effects.ts';

const recordsPerRead = 500;

export interface JoinWriterOptions {
  log: EventLog;
  serde: Serde;
  partition: number;
  /** The number of partitions of logs.events. */
  partitions: number;
  /** Effects of records before this offset are in the log. */
  from: number;
}

/** Writes the Link and Forward records that a partition's records cause to the partitions of the requests that ids join. */
export class JoinWriter {
  readonly #options: JoinWriterOptions;

  constructor(options: JoinWriterOptions) {
    this.#options = options;
  }

  /** Resolves, with the number of records, when all are durable. `batch` are the records of which some of the members may be. */
  async append(effects: readonly JoinEffect[], batch: readonly LogRecord[]): Promise<number> {
    const { log, partition, from } = this.#options;
    const caused = effects.length === 0 ? [] : causedRecords(effects, partition, from);
    if (caused.length === 0) return 0;
    const members = caused.flatMap((each) => (each.type === 'forward' ? [each.member] : []));
    const values = await this.#valuesOf(new Set(members), batch);
    const records = caused.flatMap((each) =>
      each.type === 'link' ? this.#link(each) : this.#forward(each, values.get(each.member)),
    );
    if (records.length > 0) await log.append(topics.events, records);
    return records.length;
  }

  #link({ type: _, isBackfill, ...link }: CausedLink): NewRecord[] {
    const { serde, partition } = this.#options;
    const value = serde.encode('Link', link);
    const home = this.#partitionOf(link.id);
    const record = { key: link.id, value, ...headersOf(isBackfill) };
    // An id that joins too many is ignored wherever it was found, and marked where its documents are.
    const isElsewhere = link.into === '' && home !== partition;
    return [{ ...record, partition: home }, ...(isElsewhere ? [{ ...record, partition }] : [])];
  }

  #forward({ into, kind, member, isBackfill, cause }: CausedForward, value: Buffer | undefined): NewRecord[] {
    const { serde, partition } = this.#options;
    // It has left the log.
    if (value === undefined) return [];
    const decoded = serde.nameOf(value) === 'Forward' ? tryDecode(serde, value) : undefined;
    const before = decoded?.value as Forward | undefined;
    const forward: Forward = {
      into,
      kind,
      partition: before?.partition ?? partition,
      offset: before?.offset ?? member,
      hops: (before?.hops ?? 0) + 1,
      cause,
      event: before?.event ?? value,
    };
    const encoded = serde.encode('Forward', forward);
    return [{ partition: this.#partitionOf(into), key: into, value: encoded, ...headersOf(isBackfill) }];
  }

  #partitionOf(id: string): number {
    return partitionOf(id, this.#options.partitions);
  }

  async #valuesOf(members: ReadonlySet<number>, batch: readonly LogRecord[]): Promise<Map<number, Buffer>> {
    const { log, partition } = this.#options;
    const values = new Map<number, Buffer>();
    for (const { offset, value } of batch) if (members.has(offset)) values.set(offset, value);
    const missing = [...members].filter((offset) => !values.has(offset)).sort((a, b) => a - b);
    for (let i = 0; i < missing.length;) {
      const read = await log.read(topics.events, partition, missing[i]!, recordsPerRead);
      const next = (read.at(-1)?.offset ?? missing[i]!) + 1;
      for (const { offset, value } of read) if (members.has(offset)) values.set(offset, value);
      while (i < missing.length && missing[i]! < next) i++;
    }
    return values;
  }
}

/** As ingest marks the records of a backfill. */
function headersOf(isBackfill: boolean): Pick<NewRecord, 'headers'> {
  return isBackfill ? { headers: { [backfillHeader]: 'true' } } : {};
}
