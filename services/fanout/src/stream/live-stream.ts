import type { Archive } from '@logloom/archive';
import { EventLogError, offsetBefore, type EventLog, type LogGap, type LogRecord } from '@logloom/event-log';
import type { GapReport } from '@logloom/runtime';
import type { Serde } from '@logloom/schema-registry';
import { topics } from '@logloom/schemas';
import {
  batchAttributes,
  type ActiveSpan,
  type EventAges,
  type Logger,
  type Tracing,
} from '@logloom/telemetry';
import { archivedSince } from '../history/archive-reader.ts';
import { FlushTimer } from '../delivery/flush-timer.ts';
import { Broadcast } from '../delivery/broadcast.ts';
import { CanaryStream } from './canary-stream.ts';
import { decodeRecords, type DecodedRecord, type DecodeProblems } from './decode-records.ts';
import { HistoryPages } from '../history/history-pages.ts';
import { HistoryReader } from '../history/history-reader.ts';
import { History } from '../history/history.ts';
import { newStreamStats } from './live-stats.ts';
import { Ring } from './ring.ts';
import { StreamCursors } from './stream-cursors.ts';
import { StreamDuplicates } from './stream-duplicates.ts';
import type { DuplicateScan, LiveItem, StreamKind } from './stream-kind.ts';
import type { ViewerStream } from './viewer-stream.ts';
import { spans } from '../telemetry.ts';
import type { EventLoopQueue } from '../admission/event-loop-queue.ts';

export interface LiveStreamOptions {
  kind: StreamKind;
  log: EventLog;
  serde: Serde;
  logger: Logger;
  tracing: Tracing;
  flushMs: number;
  nextChannelId: () => number;
  eventLoop: EventLoopQueue;
  gaps: GapReport;
  /** Counts how old items are once they are sent. */
  ages?: Pick<EventAges, 'add'> | undefined;
  /** Has events that the log no longer has. */
  archive?: (() => Promise<Archive>) | undefined;
  /** Records of each partition that are read back at the start. */
  readBack: number;
  ringItems: number;
  ringBytes: number;
}

// Small enough that a slice delays timers and sockets by a few milliseconds at most.
const sliceRecords = 256;

/** One stream of the live tier: follows its topic, keeps the newest items, and broadcasts them. */
export class LiveStream implements ViewerStream {
  readonly kind: StreamKind;
  /** The epoch of logs.events, for the items' ids. */
  readonly epoch: string;
  readonly broadcast: Broadcast;
  readonly ring: Ring;
  readonly pages: HistoryPages;
  readonly cursors: StreamCursors;
  readonly duplicates: StreamDuplicates;
  readonly stats = newStreamStats();
  /** What the canary sees of the stream. */
  readonly canary: CanaryStream;
  /** Per partition, the offset of the next record; everything before it went through the broadcast. */
  readonly position: number[];
  readonly maxTailRecords = 200_000;
  /** Called when the position has moved. */
  onAdvance: (() => void) | undefined;
  readonly #options: LiveStreamOptions;
  readonly #history: History;
  readonly #problems: DecodeProblems;
  #cursor: string | undefined;
  readonly #flushTimer = new FlushTimer((lateMs) => {
    this.broadcast.pace.lagged(lateMs);
    this.#flushDue();
  });

  /** Reads the end of the log back, so that viewers can resume from memory and duplicates are known. */
  static async open(options: LiveStreamOptions, signal: AbortSignal): Promise<LiveStream> {
    const { log, kind, serde, readBack, eventLoop } = options;
    // The present epochs: when the topic is recreated, all of this is void.
    const cursorEpoch = await log.epochOf(kind.topic);
    const start = await log.startOffsets(kind.topic);
    const end = await log.endOffsets(kind.topic);
    const from = end.map((offset, p) =>
      Math.max(start[p]!, offsetBefore(log, kind.topic, p, offset, readBack)),
    );
    const scanFrom = (partition: number, offset: number): Promise<DuplicateScan> =>
      kind.scan({ log, serde, partition, slot: () => eventLoop.slot() }, offset);
    const scans = await Promise.all(from.map((offset, p) => scanFrom(p, offset)));
    const epoch = await log.epochOf(topics.events);
    const stream = new LiveStream(options, { epoch, cursorEpoch }, scanFrom, scans, end, signal);
    await stream.#readBack(from, end, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    return stream;
  }

  private constructor(
    options: LiveStreamOptions,
    { epoch, cursorEpoch }: { epoch: string; cursorEpoch: string },
    scanFrom: (partition: number, offset: number) => Promise<DuplicateScan>,
    scans: readonly DuplicateScan[],
    end: readonly number[],
    signal: AbortSignal,
  ) {
    const { kind, log, serde, flushMs, nextChannelId, eventLoop, ages } = options;
    this.kind = kind;
    this.epoch = epoch;
    this.#options = options;
    this.position = [...end];
    this.cursors = new StreamCursors(kind, cursorEpoch, log, this.position);
    this.duplicates = new StreamDuplicates(scans, scanFrom, this.position);
    this.ring = new Ring(
      scans.map(({ position }) => position),
      options.ringItems,
      options.ringBytes,
    );
    this.broadcast = new Broadcast({
      stream: kind.name,
      flushMs,
      nowMs: () => performance.now(),
      cursor: () => this.cursor,
      nextChannelId,
      onSent: ages && ((appendedAtMs, deliveries) => ages.add(appendedAtMs, deliveries)),
    });
    this.pages = new HistoryPages({ stream: this, eventLoop, archive: options.archive });
    this.canary = new CanaryStream(this, { flushMs, nextChannelId, eventLoop });
    this.#problems = {
      undecodable: (record, error) => this.#undecodable(record, error),
      retrying: (error) =>
        options.logger.warn({ err: error, topic: kind.topic }, 'schemas cannot be fetched; retrying'),
      signal,
    };
    this.#history = new History({
      read: (partition, fromOffset, maxRecords) => log.read(kind.topic, partition, fromOffset, maxRecords),
      decode: (records) => decodeRecords(kind, this.epoch, serde, records, this.#problems),
      position: () => this.position,
      skipped: log.skippedOffsets?.(kind.topic),
      eventLoop,
    });
  }

  /** The cursor of everything that was broadcast so far. */
  get cursor(): string {
    return (this.#cursor ??= this.cursorAt(this.position));
  }

  cursorAt(offsets: readonly number[]): string {
    return this.cursors.at(offsets);
  }

  /** Returns the first offsets received since then, by the log, or by the archive if it begins earlier. */
  async offsetsSince(timestampMs: number): Promise<number[]> {
    const { log, kind, archive } = this.#options;
    const found = await log.offsetsByTime(kind.topic, timestampMs);
    const offsets = found.map((offset, p) => Math.min(offset, this.position[p]!));
    if (archive === undefined) return offsets;
    const start = await this.startOffsets();
    const isTrimmed = (p: number): boolean => start[p]! > 0 && offsets[p]! <= start[p]!;
    return Promise.all(
      offsets.map(async (offset, p) =>
        isTrimmed(p) ? archivedSince(await archive(), this.epoch, p, start[p]!, timestampMs) : offset,
      ),
    );
  }

  hasReached(offsets: readonly number[]): boolean {
    return offsets.every((offset, p) => offset <= this.position[p]!);
  }

  /** Whether these offsets are the stream's position. */
  isAt(offsets: readonly number[]): boolean {
    return offsets.every((offset, p) => offset === this.position[p]!);
  }

  startOffsets(): Promise<number[]> {
    return this.#options.log.startOffsets(this.kind.topic);
  }

  /** Reads from these offsets up to the stream's position, or an earlier one; `isOurs`: which items; default: those for users. */
  reader(
    from: readonly number[],
    end = (): readonly number[] => this.position,
    isOurs: (item: LiveItem) => boolean = isForUsers,
  ): HistoryReader {
    return new HistoryReader(from, {
      history: this.#history,
      duplicates: this.duplicates,
      end,
      gapAt: (p, offset) => this.#gapAt(p, offset),
      isOurs,
    });
  }

  /** As History.from(), with items for users only. */
  async historyFrom(partition: number, offset: number): Promise<DecodedRecord[]> {
    return forUsers(await this.#history.from(partition, offset));
  }

  /** As History.before(), with items for users only. */
  async historyBefore(
    partition: number,
    offset: number,
  ): Promise<{ records: DecodedRecord[]; from: number }> {
    const { records, from } = await this.#history.before(partition, offset);
    return { records: forUsers(records), from };
  }

  /** Follows the log until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const { log, kind, tracing } = this.#options;
    const span = spans.process(kind.topic);
    await log.follow(
      {
        topic: kind.topic,
        from: this.position,
        maxRecords: sliceRecords,
        onBatch: async (records, partition) => {
          try {
            await tracing.batch(span, records, (active) => this.#accept(records, partition, active));
          } catch (error) {
            // Viewers continue at their cursors, elsewhere.
            if (signal.aborted) return;
            throw error;
          }
          // Outside the span: the timer would keep it active.
          this.#flushDue();
          this.onAdvance?.();
        },
        onGap: (gap) => this.#passOver(gap),
      },
      signal,
    );
  }

  /** Viewers continue reading by themselves: from the archive, with a gap for events that it does not have. */
  #passOver(gap: LogGap): void {
    const { gaps, kind } = this.#options;
    gaps(`live ${kind.name}`, gap, 'viewers are told of records that the archive does not have');
    if (gap.reason === 'lost-end')
      throw new EventLogError(
        'topic-recreated',
        `${gap.topic}/${gap.partition} lost its end: cursors are void`,
      );
    this.#flushTimer.clear();
    const { cursor } = this;
    this.broadcast.flushAll(performance.now());
    this.canary.flushAll();
    this.position[gap.partition] = gap.to;
    this.#cursor = undefined;
    this.ring.passOver(gap.partition, gap.to);
    this.broadcast.disperse(cursor);
    this.canary.passOver(gap.partition, gap.to, cursor);
    this.onAdvance?.();
  }

  /** Sends what is waiting and stops the timer. */
  flushAll(): void {
    this.#flushTimer.clear();
    this.broadcast.flushAll(performance.now());
    this.canary.flushAll();
  }

  async #accept(records: readonly LogRecord[], partition: number, span: ActiveSpan): Promise<void> {
    const { serde, tracing } = this.#options;
    span.set(batchAttributes(records));
    const decoded = await decodeRecords(this.kind, this.epoch, serde, records, this.#problems);
    tracing.child(spans.broadcast, (active) => {
      const deliveries = this.#broadcast(decoded, partition);
      if (!active.isRecording) return;
      active.set({
        'logloom.viewers': this.broadcast.viewerCount,
        'logloom.channels': this.broadcast.channelCount,
        'logloom.deliveries': deliveries,
      });
    });
  }

  /** Broadcasts what is new; returns events times viewers. */
  #broadcast(decoded: readonly DecodedRecord[], partition: number): number {
    const nowMs = performance.now();
    let deliveries = 0;
    for (const { offset, item } of decoded) {
      this.position[partition] = offset + 1;
      this.#cursor = undefined;
      if (item === undefined) continue;
      if (item.isCanary) {
        if (this.duplicates.admit(item)) this.canary.accept(item, nowMs);
        continue;
      }
      if (!this.#admit(item)) continue;
      this.ring.add(item);
      deliveries += this.broadcast.accept(item, nowMs);
    }
    return deliveries;
  }

  #admit(item: LiveItem): boolean {
    const isNew = this.duplicates.admit(item);
    if (isNew) this.stats.events++;
    else this.stats.duplicates++;
    return isNew;
  }

  #flushDue(): void {
    const dueAtMs = this.broadcast.flushDue(performance.now());
    if (dueAtMs !== undefined) this.#flushTimer.set(dueAtMs);
  }

  async #gapAt(partition: number, offset: number): Promise<LogGap | undefined> {
    let found: LogGap | undefined;
    await this.#options.log.read(this.kind.topic, partition, offset, 1, (gap) => (found = gap));
    return found;
  }

  async #readBack(from: readonly number[], end: readonly number[], signal: AbortSignal): Promise<void> {
    const reader = new HistoryReader(from, {
      history: this.#history,
      duplicates: undefined,
      end: () => end,
      gapAt: (p, offset) => this.#gapAt(p, offset),
      isOurs: () => true,
    });
    while (!signal.aborted && reader.position.some((offset, p) => offset < end[p]!)) {
      for (const item of await reader.read(sliceRecords)) {
        if (this.duplicates.admit(item) && !item.isCanary) this.ring.add(item);
      }
    }
  }

  #undecodable({ topic, partition, offset }: LogRecord, error: Error): void {
    this.stats.undecodable++;
    this.#options.logger.error(
      { err: error, topic, partition, offset },
      'a record cannot be read; viewers do not get it',
    );
  }
}

function isForUsers({ isCanary }: LiveItem): boolean {
  return !isCanary;
}

/** The records, those of the canary without their items. */
function forUsers(records: DecodedRecord[]): DecodedRecord[] {
  if (!records.some(({ item }) => item?.isCanary === true)) return records;
  return records.map((record) => (record.item?.isCanary === true ? { ...record, item: undefined } : record));
}
