import { warmUp, type DuplicateWindow, type LogRecord } from '@logloom/event-log';
import {
  compilePredicate,
  equalityTerms,
  FilterSubject,
  intersect,
  requiresKind,
  type Predicate,
} from '@logloom/filter';
import type { Serde } from '@logloom/schema-registry';
import {
  eventToJson,
  isCanaryEvent,
  isLoadtestEvent,
  loadtestKind,
  placeEvent,
  topics,
  type Level,
  type PlacedEvent,
  type Source,
} from '@logloom/schemas';
import { rememberFilters } from './filter-cache.ts';
import { readFilter } from './read-filter.ts';
import { SubjectCache, type SubjectOwner } from './subject-cache.ts';
import type { DuplicateScan, LiveItem, ScanPlace, StreamKind } from './stream-kind.ts';

const subjects = new SubjectCache();

class EventItem implements LiveItem, SubjectOwner {
  readonly event: PlacedEvent;
  readonly timestampMs: number;
  readonly bytes: number;
  #json: string | undefined;
  #subject: FilterSubject | undefined;

  constructor(event: PlacedEvent, timestampMs: number, bytes: number) {
    this.event = event;
    this.timestampMs = timestampMs;
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

  get isCanary(): boolean {
    return isCanaryEvent(this.event);
  }

  subject(): FilterSubject {
    if (this.#subject !== undefined) return this.#subject;
    const subject = new FilterSubject(this.event);
    if (subjects.keep(this, subject)) this.#subject = subject;
    return subject;
  }

  forgetSubject(): void {
    this.#subject = undefined;
  }

  json(): string {
    return (this.#json ??= eventToJson(this.event));
  }

  encode(serde: Serde): Buffer {
    return serde.encode('LogEvent', this.event);
  }
}

const recordsPerRead = 1000;

class EventScan implements DuplicateScan {
  position: number;
  readonly #window: DuplicateWindow;
  readonly #place: ScanPlace;

  static async open(place: ScanPlace, offset: number): Promise<EventScan> {
    const { log, partition } = place;
    const window = await warmUp({ log, topic: topics.events, partition }, offset, (records) =>
      sourcesOf(place, records),
    );
    return new EventScan(place, offset, window);
  }

  constructor(place: ScanPlace, offset: number, window: DuplicateWindow) {
    this.#place = place;
    this.position = offset;
    this.#window = window;
  }

  admit(item: LiveItem): boolean {
    this.position = item.offset + 1;
    return this.#window.admit((item as EventItem).event.source, item.offset);
  }

  async duplicatesUpTo(end: number): Promise<number[]> {
    const { log, partition } = this.#place;
    const start = (await log.startOffsets(topics.events))[partition]!;
    this.position = Math.min(end, Math.max(start, this.position));
    const duplicates: number[] = [];
    while (this.position < end) {
      const count = Math.min(recordsPerRead, end - this.position);
      const read = await log.read(topics.events, partition, this.position, count);
      const records = read.filter(({ offset }) => offset < end);
      const sources = await sourcesOf(this.#place, records);
      records.forEach(({ offset }, i) => {
        const source = sources[i];
        if (source !== undefined && !this.#window.admit(source, offset)) duplicates.push(offset);
      });
      this.position = records.length < read.length || records.length === 0 ? end : records.at(-1)!.offset + 1;
    }
    return duplicates;
  }
}

async function sourcesOf(
  { serde, slot }: ScanPlace,
  records: readonly LogRecord[],
): Promise<(Source | undefined)[]> {
  await slot();
  return serde.sources(records.map(({ value }) => value));
}

/** The stream of log events. A duplicate is recognized by its source (DuplicateWindow). */
export const eventsStream: StreamKind = {
  name: 'events',
  letter: 'e',
  topic: topics.events,
  item: (decoded, epoch, partition, offset, timestampMs, bytes) =>
    decoded.name === 'LogEvent'
      ? new EventItem(placeEvent(decoded.value, epoch, partition, offset), timestampMs, bytes)
      : undefined,
  scan: (place, offset) => EventScan.open(place, offset),
  compile: rememberFilters((text, limits, imposed) => {
    const read = readFilter(text, limits);
    if (!read.ok) return read;
    const filter = imposed === undefined ? read.filter : intersect(read.filter, imposed);
    const matches = compilePredicate(filter);
    return {
      ok: true,
      filter: {
        canonical: filter.canonical,
        terms: equalityTerms(filter),
        matches: requiresKind(filter, loadtestKind, 'events') ? matches : exceptLoadtests(matches),
      },
    };
  }),
};

/** Events of a load test are for who asks for them (docs/adr, 38). */
function exceptLoadtests(matches: Predicate): Predicate {
  return (subject) => !isLoadtestEvent(subject.event) && matches(subject);
}
