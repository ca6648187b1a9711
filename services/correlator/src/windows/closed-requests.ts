import type { EventLog } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { isOfEpoch, topics, type Correlation } from '@logloom/schemas';
import type { ClosePosition } from '../recovery/written-documents.ts';
import { tryDecode } from '../try-decode.ts';

const recordsPerRead = 1000;

/** Where reading the documents of a partition continues. */
export interface DocumentsPosition extends ClosePosition {
  offset: number;
}

/** Reads the documents of one partition in the order of their closes, each once: a record that does not follow the last one is dropped. */
export class ClosedRequests {
  readonly #log: EventLog;
  readonly #serde: Serde;
  readonly #partition: number;
  readonly #epoch: string;
  #position: DocumentsPosition;

  constructor(log: EventLog, serde: Serde, partition: number, epoch: string, position: DocumentsPosition) {
    this.#log = log;
    this.#serde = serde;
    this.#partition = partition;
    this.#epoch = epoch;
    this.#position = position;
  }

  /** Behind the documents that were returned. */
  get position(): DocumentsPosition {
    return this.#position;
  }

  /** Those that were closed by a record before this offset of logs.events, and were not returned yet. All of them are written. */
  async *before(offset: number): AsyncGenerator<Correlation> {
    for (;;) {
      const records = await this.#log.read(
        topics.correlations,
        this.#partition,
        this.#position.offset,
        recordsPerRead,
      );
      if (records.length === 0) return;
      await this.#serde.load(records.map(({ value }) => value));
      for (const record of records) {
        const decoded = isOfEpoch(record, this.#epoch) ? tryDecode(this.#serde, record.value) : undefined;
        const document = decoded?.name === 'Correlation' ? decoded.value : undefined;
        if (document !== undefined && document.closeOffset >= offset) return;
        const { closeOffset, closeSequence } = this.#position;
        this.#position = { offset: record.offset + 1, closeOffset, closeSequence };
        if (document === undefined || !isAfter(document, { closeOffset, closeSequence })) continue;
        this.#position.closeOffset = document.closeOffset;
        this.#position.closeSequence = document.closeSequence;
        yield document;
      }
    }
  }
}

function isAfter(a: ClosePosition, b: ClosePosition): boolean {
  return (
    a.closeOffset > b.closeOffset || (a.closeOffset === b.closeOffset && a.closeSequence > b.closeSequence)
  );
}
