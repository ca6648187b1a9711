import {
  DuplicateWindow,
  duplicateWindowRecords,
  EventLogError,
  offsetBefore,
  type EventLog,
} from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { topics, type Source } from '@logloom/schemas';
import { createHash } from 'node:crypto';
import { IngestError } from '../errors.ts';

/** The kind of the sources of events that their senders number. */
export const producerKind = 'producer';

/** The number of producers whose epochs are kept, at about 200 bytes each. The least recent is forgotten first. */
export const maxProducers = 65_536;
/** The largest number of durable events that are kept, at 28 bytes each. */
const maxEvents = 2 ** 20;
const recordsPerRead = 1000;

interface ProducerState {
  epoch: number;
  /** The number after the last one stored here. A producer that continues with it has most likely not been at another instance. */
  next: number;
  /** Resolves after the last request in work or waiting. */
  tail: Promise<void>;
  requests: number;
}

export interface ProducerTableOptions {
  log: EventLog;
  serde: Serde;
  /** Partitions of logs.events. */
  partitions: number;
  /** Whether other instances write to the same log. */
  isShared?: boolean;
  maxProducers?: number;
}

/**
 * The producers that number their events: the highest epoch of each, and which of their events are durable. fill() or the first request
 * reads them from the log; so does a request that does not continue where its producer stopped, because the producer may have been at another
 * instance. The table is bounded, and exactness does not depend on it: what it has forgotten is stored again, and readers drop the
 * duplicate (DuplicateWindow).
 */
export class ProducerTable {
  readonly #options: ProducerTableOptions;
  readonly #maxProducers: number;
  readonly #producers = new Map<string, ProducerState>();
  readonly #durable: DuplicateWindow;
  #events = 0;
  #filled: Promise<void> | undefined;
  #refreshing: Promise<void> | undefined;
  #nextRefresh: Promise<void> | undefined;
  /** Per partition, the first record that has not been read yet. */
  readonly #read: number[] = [];

  constructor(options: ProducerTableOptions) {
    this.#options = options;
    this.#maxProducers = options.maxProducers ?? maxProducers;
    const wanted = 2 ** Math.ceil(Math.log2(duplicateWindowRecords * options.partitions));
    this.#durable = new DuplicateWindow(Math.min(maxEvents, wanted));
  }

  /** The number of producers whose epoch is known. */
  get size(): number {
    return this.#producers.size;
  }

  /** Reads what the log holds, so that the first request need not wait for it. Rejects as inOrder() does; the first request then tries again. */
  async fill(): Promise<void> {
    await this.#settle((this.#filled ??= this.#readNew()));
  }

  /**
   * Does the work of one request, whose events are numbered from `first`, once earlier requests of the producer are done. Throws
   * IngestError `producer-fenced` when a higher epoch was seen, `log-unavailable`, and what `work` throws.
   */
  async inOrder<T>(scope: string, epoch: number, first: number, work: () => Promise<T>): Promise<T> {
    await this.fill();
    const state = this.#producer(scope);
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = state.tail;
    state.tail = promise;
    state.requests++;
    try {
      await before;
      if (first !== state.next && this.#options.isShared === true) {
        await this.#settle(this.#refresh());
        state.next = first;
      }
      if (epoch < state.epoch)
        throw new IngestError('producer-fenced', `the producer has continued in epoch ${state.epoch}`);
      state.epoch = epoch;
      return await work();
    } finally {
      state.requests--;
      resolve();
    }
  }

  isDurable(source: Source): boolean {
    return this.#durable.has(source);
  }

  /** Must be called with each event that has become durable. */
  stored(source: Source): void {
    const state = this.#producers.get(source.topic);
    if (state !== undefined) state.next = Math.max(state.next, source.offset + 1);
    this.#durable.admit(source, this.#events++);
  }

  #producer(scope: string): ProducerState {
    let state = this.#producers.get(scope);
    if (state === undefined) state = { epoch: 0, next: -1, tail: Promise.resolve(), requests: 0 };
    else this.#producers.delete(scope);
    this.#producers.set(scope, state);
    for (const [oldest, { requests }] of this.#producers) {
      if (this.#producers.size <= this.#maxProducers) break;
      if (requests === 0 && oldest !== scope) this.#producers.delete(oldest);
    }
    return state;
  }

  /** Resolves when what the log holds now has been read. A read in progress may have begun too early; all who wait share the next. */
  #refresh(): Promise<void> {
    return (this.#nextRefresh ??= (async () => {
      await this.#refreshing?.catch(() => {});
      this.#nextRefresh = undefined;
      await (this.#refreshing = this.#readNew());
    })());
  }

  async #settle(reading: Promise<void>): Promise<void> {
    try {
      await reading;
    } catch (cause) {
      this.#filled = undefined;
      const isPassing = cause instanceof EventLogError && cause.retriable;
      throw isPassing ? new IngestError('log-unavailable', undefined, { cause }) : cause;
    }
  }

  /** Reads new records, no further back than readers recognize duplicates. */
  async #readNew(): Promise<void> {
    const { log, serde } = this.#options;
    const starts = await log.startOffsets(topics.events);
    const ends = await log.endOffsets(topics.events);
    for (const [partition, end] of ends.entries()) {
      const oldest = Math.max(
        starts[partition]!,
        offsetBefore(log, topics.events, partition, end, duplicateWindowRecords),
      );
      const from = this.#read[partition] ?? 0;
      // Beyond the end: the topic was recreated, or lost its end.
      for (let next = from > end ? oldest : Math.max(oldest, from); next < end;) {
        const records = await log.read(topics.events, partition, next, recordsPerRead);
        if (records.length === 0) break;
        for (const source of await serde.sources(records.map(({ value }) => value))) {
          if (source?.kind !== producerKind) continue;
          const state = this.#producer(source.topic);
          state.epoch = Math.max(state.epoch, source.partition);
          if (!this.#durable.has(source)) this.#durable.admit(source, this.#events++);
        }
        next = records.at(-1)!.offset + 1;
        this.#read[partition] = next;
      }
    }
  }
}

/**
 * Stands for a producer in the log: its id, and the name of the key that it sends with. So a client cannot send in the name of another
 * key's producer, and neither id nor key can be read from it.
 */
export function producerScope(keyName: string, producerId: string): string {
  return createHash('sha256').update(`${keyName}\0${producerId}`).digest('base64url').slice(0, 22);
}
