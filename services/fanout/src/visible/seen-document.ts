import { visibleDocumentJson } from '@logloom/auth';
import { FilterSubject } from '@logloom/filter';
import type { Correlation, Level, PlacedEvent } from '@logloom/schemas';
import { CorrelationItem } from '../stream/correlations-stream.ts';
import type { LiveItem } from '../stream/stream-kind.ts';

/** What no filter of a viewer is asked about. */
export const hidden = new FilterSubject({} as PlacedEvent);

const bytesPerMember = 10;
const bytesPerDocument = 300;

/** What an imposed filter lets through of a document, in the document's place. */
class VisibleItem extends CorrelationItem {
  #json: string | undefined;

  override json(): string {
    return (this.#json ??= JSON.stringify(visibleDocumentJson(this.correlation)));
  }
}

/** A document that viewers with imposed filters have come to, and what each of them may see of it. */
export class SeenDocument<T> implements LiveItem {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly level: Level = 'info';
  readonly urgent = false;
  bytes = bytesPerDocument;
  readonly #visible = new Map<T, LiveItem>();

  constructor({ partition, offset, timestamp }: LiveItem) {
    this.partition = partition;
    this.offset = offset;
    this.timestamp = timestamp;
  }

  add(seen: ReadonlyMap<T, Correlation>): void {
    for (const [filter, document] of seen) {
      const { partition, offset, timestamp } = this;
      const bytes = bytesPerDocument + bytesPerMember * document.memberDeltas.length;
      const item = new VisibleItem(document, partition, offset, timestamp, bytes);
      this.#visible.set(filter, item);
      this.bytes += item.bytes;
    }
  }

  get visible(): ReadonlyMap<T, LiveItem> {
    return this.#visible;
  }

  /** What this filter lets through; this one, which nobody is sent, where it is nothing. */
  itemFor(filter: T): LiveItem {
    return this.#visible.get(filter) ?? this;
  }

  subject(): FilterSubject {
    return hidden;
  }

  json(): string {
    throw new Error('a hidden document is sent to nobody');
  }

  encode(): Buffer {
    throw new Error('a hidden document is sent to nobody');
  }
}
