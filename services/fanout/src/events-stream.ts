import { SourceWatermarks } from '@logloom/event-log';
import { compilePredicate, equalityTerms, FilterSubject, intersect } from '@logloom/filter';
import type { Serde } from '@logloom/schema-registry';
import { eventToJson, placeEvent, topics, type Level, type PlacedEvent } from '@logloom/schemas';
import { rememberFilters } from './filter-cache.ts';
import { readFilter } from './read-filter.ts';
import type { LiveItem, StreamKind } from './stream-kind.ts';

class EventItem implements LiveItem {
  readonly event: PlacedEvent;
  readonly timestamp: number;
  readonly bytes: number;
  #json: string | undefined;

  constructor(event: PlacedEvent, timestamp: number, bytes: number) {
    this.event = event;
    this.timestamp = timestamp;
    // Decoded strings, the JSON beside them, and the objects.
    this.bytes = 3 * bytes + 400;
  }

  get partition(): number {
    return this.event.partition;
  }

  get offset(): number {
    return this.event.offset;
  }

  get level(): Level {
    return this.event.level;
  }

  get urgent(): boolean {
    return this.event.level === 'error' || this.event.level === 'fatal';
  }

  subject(): FilterSubject {
    return new FilterSubject(this.event);
  }

  json(): string {
    return (this.#json ??= eventToJson(this.event));
  }

  encode(serde: Serde): Buffer {
    return serde.encode('LogEvent', this.event);
  }
}

/** The stream of log events. A replayed one is known by its source (SourceWatermarks). */
export const eventsStream: StreamKind = {
  name: 'events',
  letter: 'e',
  topic: topics.events,
  item: (decoded, partition, offset, timestamp, bytes) =>
    decoded.name === 'LogEvent'
      ? new EventItem(placeEvent(decoded.value, partition, offset), timestamp, bytes)
      : undefined,
  watermark: () => {
    const watermarks = new SourceWatermarks();
    return (item) => watermarks.admit((item as EventItem).event.source);
  },
  compile: rememberFilters((text, limits, imposed) => {
    const read = readFilter(text, limits);
    if (!read.ok) return read;
    const filter = imposed === undefined ? read.filter : intersect(read.filter, imposed);
    return {
      ok: true,
      filter: {
        canonical: filter.canonical,
        terms: equalityTerms(filter),
        matches: compilePredicate(filter),
      },
    };
  }),
};
