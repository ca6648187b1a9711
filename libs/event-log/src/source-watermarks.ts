import type { Source } from '@logloom/schemas';

interface Mark {
  offset: number;
  index: number;
}

/** How far a source partition was seen: its key, the highest offset and the index within it. */
export type SourceMark = readonly [source: string, offset: number, index: number];

/**
 * Tells a new event from a replayed one, for one partition of logs.events. Within it the offsets of one source partition only
 * grow, so an event at or below the highest seen is a copy. O(1) per event, one entry a source.
 *
 * HTTP producers come and go: only the `maxSources` that were seen last are remembered. A copy of a forgotten source would be
 * taken for new; a client retries within seconds, long before hundreds of others have written.
 */
export class SourceWatermarks {
  readonly #marks: Map<string, Mark>;
  readonly #maxSources: number;
  readonly #changed = new Set<string>();
  #lastMark: Mark | undefined;
  #lastSource: Pick<Source, 'kind' | 'topic' | 'partition'> | undefined;

  constructor(entries: Iterable<SourceMark> = [], maxSources = 1024) {
    this.#marks = new Map([...entries].map(([key, offset, index]) => [key, { offset, index }]));
    this.#maxSources = maxSources;
    this.#forget();
  }

  /** True, and remembered, when the event is new; false when it is a copy. */
  admit(source: Source): boolean {
    const mark = this.#find(source);
    if (mark === undefined) {
      this.#add(source);
      return true;
    }
    if (source.offset < mark.offset || (source.offset === mark.offset && source.index <= mark.index))
      return false;
    mark.offset = source.offset;
    mark.index = source.index;
    return true;
  }

  /** The marks as [source, offset, index], the longest unseen first. */
  entries(): SourceMark[] {
    return [...this.#marks].map(([key, mark]) => [key, mark.offset, mark.index]);
  }

  /** The marks that may have moved since the last call. */
  takeChanged(): SourceMark[] {
    const changed = [...this.#changed].flatMap((key): SourceMark[] => {
      const mark = this.#marks.get(key);
      return mark === undefined ? [] : [[key, mark.offset, mark.index]];
    });
    this.#changed.clear();
    this.#lastSource = undefined;
    return changed;
  }

  #find(source: Source): Mark | undefined {
    // Runs of one source are the rule: no key is built for them.
    const last = this.#lastSource;
    if (last?.topic === source.topic && last.partition === source.partition && last.kind === source.kind)
      return this.#lastMark;
    const key = sourceKey(source);
    const mark = this.#marks.get(key);
    if (mark !== undefined) {
      this.#marks.delete(key);
      this.#marks.set(key, mark);
      this.#remember(source, key, mark);
    }
    return mark;
  }

  #add(source: Source): void {
    const key = sourceKey(source);
    const mark = { offset: source.offset, index: source.index };
    this.#marks.set(key, mark);
    this.#remember(source, key, mark);
    this.#forget();
  }

  /** Drops the longest unseen. The map's order is that of last use, so the newest is never among them. */
  #forget(): void {
    for (const key of this.#marks.keys()) {
      if (this.#marks.size <= this.#maxSources) return;
      this.#marks.delete(key);
    }
  }

  #remember(source: Source, key: string, mark: Mark): void {
    this.#changed.add(key);
    this.#lastSource = source;
    this.#lastMark = mark;
  }
}

/** A source partition's key in commit metadata. */
export function sourceKey(source: Pick<Source, 'kind' | 'topic' | 'partition'>): string {
  return `${source.kind}/${source.topic}/${source.partition}`;
}
