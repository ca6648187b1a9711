import { visibleDocumentJson } from '@logloom/auth';
import { FilterSubject } from '@logloom/filter';
import type { Correlation, Level, PlacedEvent } from '@logloom/schemas';
import { CorrelationItem } from '../stream/correlations-stream.ts';
import type { LiveItem } from '../stream/stream-kind.ts';

/** A value that no viewer's filter is tested on. */
export const hidden = new FilterSubject({} as PlacedEvent);

const bytesPerMember = 10;
const bytesPerDocument = 300;

/** The part of a document that an imposed filter passes, at the document's place. */
class VisibleItem extends CorrelationItem {
  #json: string | undefined;

  override json(): string {
    return (this.#json ??= JSON.stringify(visibleDocumentJson(this.correlation)));
  }
}

/** A document that the streams of imposed filters have reached, and the part that each filter passes. */
export class SeenDocument<T> implements LiveItem {
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly level: Level = 'info';
  readonly urgent = false;
  readonly isCanary = false;
  bytes = bytesPerDocument;
  readonly #visible = new Map<T, LiveItem>();

  constructor({ partition, offset, timestampMs }: LiveItem) {
    this.partition = partition;
    this.offset = offset;
    this.timestampMs = timestampMs;
  }

  add(seen: ReadonlyMap<T, Correlation>): void {
    for (const [filter, document] of seen) {
      const { partition, offset, timestampMs } = this;
      const bytes = bytesPerDocument + bytesPerMember * document.memberDeltas.length;
      const item = new VisibleItem(document, partition, offset, timestampMs, bytes);
      this.#visible.set(filter, item);
      this.bytes += item.bytes;
    }
  }

  get visible(): ReadonlyMap<T, LiveItem> {
    return this.#visible;
  }

  /** The part that this filter passes; if it passes nothing, this item itself, which is never sent. */
  itemFor(filter: T): LiveItem {
    return this.#visible.get(filter) ?? this;
  }

  subject(): FilterSubject {
    return hidden;
  }

  json(): string {
    throw new Error('a hidden document is never sent');
  }

  encode(): Buffer {
    throw new Error('a hidden document is never sent');
  }
}
