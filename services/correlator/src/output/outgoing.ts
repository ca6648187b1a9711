import type { NewRecord } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { epochHeader, type Correlation } from '@logloom/schemas';
import type { Sink } from '../correlate.ts';
import { lastMember } from '../recovery/written-documents.ts';
import type { TraceMemory } from './trace-memory.ts';

/** The part of a document that is kept until it is durable. */
export interface Outgoing {
  record: NewRecord;
  lastMember: number;
  /** What is counted. */
  reason: Correlation['closeReason'];
  isLate: boolean;
  /** Memory was short: the document takes no late events. */
  isShort: boolean;
  isBackfill: boolean;
}

/**
 * Encodes documents at once and keeps only their bytes: one record may close all sessions, and keeping both would need twice the memory.
 */
export class OutgoingDocuments implements Sink<Correlation> {
  readonly #serde: Serde;
  readonly #place: { partition: number; epoch: string };
  readonly #traces: TraceMemory;
  readonly documents: Outgoing[] = [];

  /** `epoch` is that of logs.events. */
  constructor(serde: Serde, place: { partition: number; epoch: string }, traces: TraceMemory) {
    this.#serde = serde;
    this.#place = place;
    this.#traces = traces;
  }

  push(document: Correlation): void {
    const { correlationId, closeReason, revision, final, backfill: isBackfill } = document;
    this.documents.push({
      record: {
        partition: this.#place.partition,
        key: correlationId,
        value: this.#serde.encode('Correlation', document),
        headers: { [epochHeader]: this.#place.epoch, ...this.#traces.take(correlationId).headers },
      },
      lastMember: lastMember(document),
      reason: closeReason,
      isLate: revision > 1,
      isShort: closeReason === 'evicted' || (final && (closeReason === 'idle' || closeReason === 'max')),
      isBackfill,
    });
  }
}
