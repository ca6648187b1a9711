import type { PlacedEvent } from '@logloom/schemas';
import type { Catalog } from './catalog.ts';
import type { Engine } from './engine.ts';
import { keyOf } from './event-columns.ts';
import { heldViews, type HeldIn } from './held-events.ts';
import type { PreparedSlice, SliceWriter } from './slice-writer.ts';
import type { Slice } from './slice.ts';
import { allViews, viewBit, type ViewName } from './views.ts';

/** From so many events on a batch goes straight into a slice; smaller ones are collected first. */
const directRows = 2048;
/** Recent events are sealed into a slice when there are so many, or so many bytes of them: readers hold them in memory. */
const sealRows = 8192;
const sealBytes = 8 * 2 ** 20;
/** A slice is written from so many bytes of events at most: they are in memory meanwhile. */
const sliceBytes = 8 * 2 ** 20;
/** So many events of one day get a slice of their own. */
const dayRows = 1024;
/** Ids that are remembered as stored: the other view brings the same batch. */
const rememberedIds = 30_000;
const dayMicros = 86_400_000_000;

export interface EventWriterOptions {
  catalog: Catalog;
  engine: Engine;
  slices: SliceWriter;
  folder: string;
  /** 0: what serves; others are being rebuilt and have no recent rows. */
  generation: number;
  /** The condition and the table of the recent rows, for held views; see RecentTables. */
  recentRelation: () => Promise<{ relation: string | undefined; release: () => void }>;
}

/** Stores events once per id. One call at a time. */
export class EventWriter {
  readonly #options: EventWriterOptions;
  /** The views that hold an id, of the latest ids. */
  #remembered = new Map<string, number>();
  #rememberedBefore = new Map<string, number>();
  /** The highest stored offset of each epoch and partition: beyond it nothing is held. */
  #highest = new Map<string, number>();
  #hasOtherIds = false;
  #recentRows = 0;
  #recentBytes = 0;

  constructor(options: EventWriterOptions) {
    this.#options = options;
    this.reload();
  }

  /** Reads what the catalog holds: at the start, and after another writer has changed it. */
  reload(): void {
    const { catalog, generation } = this.#options;
    this.#remembered.clear();
    this.#rememberedBefore.clear();
    this.#highest.clear();
    this.#recentRows = 0;
    this.#recentBytes = 0;
    const slices = catalog.slices(generation).filter(({ kind }) => kind === 'events');
    this.#hasOtherIds = slices.some(({ otherIds }) => otherIds > 0);
    for (const { places } of slices)
      for (const { epoch, partition, last } of places) this.#raise(`${epoch}/${partition}`, last);
    if (generation !== 0) return;
    for (const batch of catalog.all<{ views: number; bytes: number; events: string }>(
      'SELECT views, bytes, events FROM recent',
    )) {
      const events = JSON.parse(batch.events) as PlacedEvent[];
      this.#recentRows += events.length;
      this.#recentBytes += batch.bytes;
      for (const event of events) this.#remember(event, batch.views);
    }
  }

  /** Whether there are enough recent events for a slice. */
  get isSealDue(): boolean {
    return this.#recentRows >= sealRows || this.#recentBytes >= sealBytes;
  }

  /** Those that a view does not hold. */
  async missing(view: ViewName, events: readonly PlacedEvent[]): Promise<PlacedEvent[]> {
    const held = await this.#held(events);
    return events.filter((_, i) => (held[i]! & viewBit[view]) === 0);
  }

  /** Stores what the view does not hold yet, for both views where none holds it. Durable when it resolves. */
  async put(view: ViewName, events: readonly PlacedEvent[]): Promise<void> {
    const { catalog, generation } = this.#options;
    const held = await this.#held(events);
    const removedBefore = catalog.snapshot().removedBefore;
    const groups = new Map<number, PlacedEvent[]>();
    const inBatch = new Map<string, number>();
    events.forEach((event, i) => {
      const known = held[i]! | (inBatch.get(event.id) ?? 0);
      let bits = (known & viewBit[view]) !== 0 ? 0 : known === 0 ? allViews : viewBit[view];
      if (generation === 0) {
        if (event.timestamp < removedBefore.search) bits &= ~viewBit.search;
        if (event.timestamp < removedBefore.archive) bits &= ~viewBit.archive;
      }
      if (bits === 0) return;
      inBatch.set(event.id, known | bits);
      const group = groups.get(bits);
      if (group === undefined) groups.set(bits, [event]);
      else group.push(event);
    });
    if (groups.size === 0) return;
    await this.#store(groups);
  }

  /** Puts all recent events into slices. */
  async seal(): Promise<void> {
    const { catalog, slices } = this.#options;
    const batches = catalog.all<{ seq: number; views: number; events: string }>(
      'SELECT seq, views, events FROM recent ORDER BY seq',
    );
    if (batches.length === 0) return;
    const groups = new Map<number, PlacedEvent[]>();
    for (const { views, events } of batches) {
      const group = groups.get(views) ?? [];
      for (const event of JSON.parse(events) as PlacedEvent[]) group.push(event);
      groups.set(views, group);
    }
    const prepared: PreparedSlice[] = [];
    try {
      for (const [views, events] of groups) {
        const { days, rest } = byDay(events);
        for (const part of [...days, rest].flatMap(partsOf)) prepared.push(await slices.events(part, views));
      }
      const to = batches.at(-1)!.seq;
      this.#commit(prepared, () => {
        catalog.run('DELETE FROM recent WHERE seq <= ?', to);
        catalog.setState('eventsSealed', to);
      });
    } catch (error) {
      await slices.drop(prepared);
      throw error;
    }
    this.#recentRows = 0;
    this.#recentBytes = 0;
  }

  async #store(groups: ReadonlyMap<number, PlacedEvent[]>): Promise<void> {
    const { catalog, slices, generation } = this.#options;
    const prepared: PreparedSlice[] = [];
    const recent: { views: number; events: PlacedEvent[]; text: string }[] = [];
    try {
      for (const [views, events] of groups) {
        const isDirect = events.length >= directRows || bytesOf(events) >= sealBytes || generation !== 0;
        const { days, rest } = isDirect ? byDay(events) : { days: [], rest: events };
        const isRestDirect = generation !== 0 || bytesOf(rest) >= sealBytes;
        for (const part of (isRestDirect ? [...days, rest] : days).flatMap(partsOf))
          prepared.push(await slices.events(part, views));
        if (rest.length > 0 && !isRestDirect) recent.push({ views, events: rest, text: recentText(rest) });
      }
      this.#commit(prepared, () => {
        for (const { views, events, text } of recent)
          catalog.run(
            'INSERT INTO recent VALUES (?, ?, ?, ?, ?, ?)',
            catalog.nextSeq(),
            views,
            events.length,
            text.length,
            events.reduce((first, { timestamp }) => Math.min(first, timestamp), Infinity),
            text,
          );
      });
    } catch (error) {
      await slices.drop(prepared);
      throw error;
    }
    for (const { events, text } of recent) {
      this.#recentRows += events.length;
      this.#recentBytes += text.length;
    }
    for (const [views, events] of groups) for (const event of events) this.#remember(event, views);
  }

  #commit(prepared: readonly PreparedSlice[], more: () => void): void {
    const { catalog, slices, generation } = this.#options;
    const named: Slice[] = [];
    catalog.write(() => {
      for (const each of prepared) {
        const slice = slices.name(each, catalog.nextSeq());
        catalog.addSlice(slice, generation);
        named.push(slice);
      }
      more();
    });
    this.#hasOtherIds ||= named.some(({ otherIds }) => otherIds > 0);
  }

  async #held(events: readonly PlacedEvent[]): Promise<number[]> {
    const held = new Array<number>(events.length).fill(0);
    const unsure: number[] = [];
    events.forEach((event, i) => {
      const known = this.#remembered.get(event.id) ?? this.#rememberedBefore.get(event.id);
      if (known !== undefined) held[i] = known;
      else if (this.#mayBeHeld(event)) unsure.push(i);
    });
    if (unsure.length === 0) return held;
    const { catalog, engine, folder, generation, recentRelation } = this.#options;
    const recent = generation === 0 ? await recentRelation() : { relation: undefined, release: () => {} };
    try {
      const slices = catalog.slices(generation).filter(({ kind }) => kind === 'events');
      const where: HeldIn = { recent: recent.relation, slices, folder };
      const found = await heldViews(
        engine,
        unsure.map((i) => events[i]!),
        where,
      );
      found.forEach((views, n) => (held[unsure[n]!] = views));
    } finally {
      recent.release();
    }
    return held;
  }

  #mayBeHeld(event: PlacedEvent): boolean {
    const { epoch, otherId } = keyOf(event);
    if (otherId !== null) return this.#hasOtherIds;
    return event.offset <= (this.#highest.get(`${epoch}/${event.partition}`) ?? -1);
  }

  #remember(event: PlacedEvent, views: number): void {
    if (this.#remembered.size >= rememberedIds) {
      this.#rememberedBefore = this.#remembered;
      this.#remembered = new Map();
    }
    const known = this.#remembered.get(event.id) ?? this.#rememberedBefore.get(event.id) ?? 0;
    this.#remembered.set(event.id, known | views);
    const { epoch, otherId } = keyOf(event);
    if (otherId === null) this.#raise(`${epoch}/${event.partition}`, event.offset);
    else this.#hasOtherIds = true;
  }

  #raise(key: string, offset: number): void {
    if (offset > (this.#highest.get(key) ?? -1)) this.#highest.set(key, offset);
  }
}

function recentText(events: readonly PlacedEvent[]): string {
  return JSON.stringify(events.map((event) => ({ ...event, source: undefined })));
}

/** Roughly what they hold. */
function bytesOf(events: readonly PlacedEvent[]): number {
  return events.reduce((sum, { message, attributes }) => sum + 300 + message.length + attributes.length, 0);
}

/** The events in parts that can be written at once. */
function partsOf(events: PlacedEvent[]): PlacedEvent[][] {
  const parts: PlacedEvent[][] = [];
  let bytes = Infinity;
  for (const event of events) {
    if (bytes >= sliceBytes) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)!.push(event);
    bytes += bytesOf([event]);
  }
  return parts;
}

/** The events in order of time: those of each day that has many, and all others. */
function byDay(events: readonly PlacedEvent[]): { days: PlacedEvent[][]; rest: PlacedEvent[] } {
  const sorted = events.toSorted(
    (a, b) => a.timestamp - b.timestamp || a.partition - b.partition || a.offset - b.offset,
  );
  const days: PlacedEvent[][] = [];
  const rest: PlacedEvent[] = [];
  for (let from = 0; from < sorted.length;) {
    const end = (Math.floor(sorted[from]!.timestamp / dayMicros) + 1) * dayMicros;
    let to = from + 1;
    while (to < sorted.length && sorted[to]!.timestamp < end) to++;
    if (to - from >= dayRows) days.push(sorted.slice(from, to));
    else for (let i = from; i < to; i++) rest.push(sorted[i]!);
    from = to;
  }
  return { days, rest };
}
