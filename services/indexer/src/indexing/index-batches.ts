import type { Correlation, PlacedEvent } from '@logloom/schemas';
import type { Refused } from '@logloom/search-store';
import { noTracing, type SpanSpec, type TraceHeaders, type Tracing } from '@logloom/telemetry';
import { setTimeout as sleep } from 'node:timers/promises';
import { WriteSize } from './write-size.ts';

/** An event or a document that a target can never accept. */
export type RefusedItem = Refused<PlacedEvent | Correlation>;

/** Writes events or documents to a store in one call. A target that refuses some for good returns those. */
export interface BulkTarget {
  name: string;
  /** The span of a bulk. */
  span?: SpanSpec;
  putEvents: (events: readonly PlacedEvent[]) => Promise<readonly RefusedItem[] | void>;
  putCorrelations: (documents: readonly Correlation[]) => Promise<readonly RefusedItem[] | void>;
  /** Whether a bulk has anything for the target: else it is not asked. Default: every bulk has. */
  concerns?: (events: readonly PlacedEvent[], documents: readonly Correlation[]) => boolean;
  /** Older items (microseconds) are not filled in again: retention would remove them at once. */
  retainedFrom?: () => number;
}

/** A batch that not every target gets. */
export interface BatchScope {
  /** By name: the other targets already have it. */
  targets: ReadonlySet<string>;
}

export interface BulkOptions {
  targets: readonly BulkTarget[];
  /** A bulk takes no further batch once it has this many events. */
  maxEvents?: number;
  /** The wait before the first retry; it doubles up to `maxBackoffMs`, and half of it is random. */
  backoffMs?: number;
  maxBackoffMs?: number;
  onRetry?: (target: string, error: unknown) => void;
  onBulk?: (events: number, correlations: number, seconds: number) => void;
  tracing?: Tracing;
  /** A monotonic clock in milliseconds. */
  nowMs?: () => number;
  /** Ends the waiting between retries. */
  signal: AbortSignal;
}

interface IndexBatch {
  events: readonly PlacedEvent[];
  correlations: readonly Correlation[];
  /** The span that the batch was added in. */
  headers: TraceHeaders | undefined;
  /** undefined: for all targets. */
  scope: BatchScope | undefined;
  resolve: (refused: RefusedItem[]) => void;
  reject: (error: unknown) => void;
}

/**
 * Combines the batches of all partitions: one bulk is written at a time, and batches that arrive meanwhile form the next. So a quiet log is
 * written at once, and a busy one in as few commits as possible.
 */
export class IndexBatches {
  readonly #options: Required<Omit<BulkOptions, 'onRetry' | 'onBulk'>> &
    Pick<BulkOptions, 'onRetry' | 'onBulk'>;
  readonly #sizes = new Map<string, WriteSize>();
  #waiting: IndexBatch[] = [];
  #running = false;

  constructor(options: BulkOptions) {
    this.#options = {
      maxEvents: 10_000,
      backoffMs: 100,
      maxBackoffMs: 10_000,
      tracing: noTracing,
      nowMs: () => performance.now(),
      ...options,
    };
  }

  /** Events that wait for the bulk before theirs. */
  get queuedEvents(): number {
    return this.#waiting.reduce((sum, { events }) => sum + events.length, 0);
  }

  /**
   * Resolves when every target has acknowledged the batch, with the items that a target refused for good. Retries a retriable error
   * forever; rejects at another error of a target, or when the signal aborts between retries. A rejected batch may be stored in part and
   * must be passed again.
   */
  async add(
    events: readonly PlacedEvent[],
    correlations: readonly Correlation[],
    scope?: BatchScope,
  ): Promise<RefusedItem[]> {
    const headers = this.#options.tracing.headers();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ events, correlations, headers, scope, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      // The readers of other partitions run first, so that their batches are included.
      await new Promise((resolve) => setImmediate(resolve));
      const bulk = this.#take();
      const events = bulk.flatMap((batch) => batch.events);
      const correlations = bulk.flatMap((batch) => batch.correlations);
      const startedAtMs = performance.now();
      const results = await Promise.allSettled(
        this.#options.targets
          .filter(({ concerns }) => concerns?.(events, correlations) ?? true)
          .map((target) => this.#traced(target, bulk, events, correlations)),
      );
      const failed = results.find((result) => result.status === 'rejected');
      if (failed === undefined) {
        this.#options.onBulk?.(events.length, correlations.length, (performance.now() - startedAtMs) / 1000);
        const refused = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
        for (const batch of bulk) batch.resolve(refused.filter(({ item }) => isOf(batch, item)));
      } else {
        for (const batch of bulk) batch.reject(failed.reason);
      }
    }
    this.#running = false;
  }

  #take(): IndexBatch[] {
    let events = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || events < this.#options.maxEvents))
      events += this.#waiting[count++]!.events.length;
    return this.#waiting.splice(0, count);
  }

  /** Writes in one span for the bulk, in the trace of its first batch that has one. */
  #traced(
    target: BulkTarget,
    bulk: readonly IndexBatch[],
    events: readonly PlacedEvent[],
    correlations: readonly Correlation[],
  ): Promise<RefusedItem[]> {
    if (bulk.some(({ scope }) => scope !== undefined)) {
      events = bulk.flatMap((batch) => eventsFor(target, batch));
      correlations = bulk.flatMap((batch) => correlationsFor(target, batch));
    }
    const spec = target.span ?? { name: target.name, kind: 'client' };
    return this.#options.tracing.batch(spec, bulk, (span) => {
      span.set({ 'logloom.events': events.length, 'logloom.correlations': correlations.length });
      return this.#write(target, events, correlations);
    });
  }

  async #write(
    target: BulkTarget,
    events: readonly PlacedEvent[],
    correlations: readonly Correlation[],
  ): Promise<RefusedItem[]> {
    return [
      ...(await this.#writeAll(target, events, (items) => target.putEvents(items))),
      ...(await this.#writeAll(target, correlations, (items) => target.putCorrelations(items))),
    ];
  }

  /** In one write, or in several while the target is in trouble: what one of them has stored is not written again. */
  async #writeAll<Item extends RefusedItem['item']>(
    target: BulkTarget,
    items: readonly Item[],
    write: (items: readonly Item[]) => Promise<readonly RefusedItem[] | void>,
  ): Promise<RefusedItem[]> {
    const { maxEvents, backoffMs, maxBackoffMs, signal, onRetry, nowMs } = this.#options;
    const size = this.#sizeOf(target);
    const refused: RefusedItem[] = [];
    let wait = backoffMs;
    for (let next = 0; next < items.length;) {
      const part = items.slice(next, next + size.items);
      const startedAtMs = nowMs();
      try {
        refused.push(...((await write(part)) ?? []));
      } catch (error) {
        if ((error as { retriable?: boolean }).retriable !== true || signal.aborted) throw error;
        size.failed(part.length);
        onRetry?.(target.name, error);
        await sleep(wait / 2 + (Math.random() * wait) / 2, undefined, { signal }).catch(() => {});
        wait = Math.min(wait * 2, maxBackoffMs);
        continue;
      }
      size.succeeded(part.length, nowMs() - startedAtMs, maxEvents);
      next += part.length;
      wait = backoffMs;
    }
    return refused;
  }

  #sizeOf({ name }: BulkTarget): WriteSize {
    let size = this.#sizes.get(name);
    if (size === undefined) this.#sizes.set(name, (size = new WriteSize()));
    return size;
  }
}

function eventsFor(target: BulkTarget, { events, scope }: IndexBatch): readonly PlacedEvent[] {
  if (scope === undefined) return events;
  if (!scope.targets.has(target.name)) return [];
  const from = target.retainedFrom?.() ?? -Infinity;
  return events.filter(({ timestamp }) => timestamp >= from);
}

function correlationsFor(target: BulkTarget, { correlations, scope }: IndexBatch): readonly Correlation[] {
  if (scope === undefined) return correlations;
  if (!scope.targets.has(target.name)) return [];
  const from = target.retainedFrom?.() ?? -Infinity;
  return correlations.filter(({ lastAt }) => lastAt >= from);
}

function isOf(batch: IndexBatch, item: RefusedItem['item']): boolean {
  return batch.events.includes(item as PlacedEvent) || batch.correlations.includes(item as Correlation);
}
