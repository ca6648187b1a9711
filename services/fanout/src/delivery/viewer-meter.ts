/** How long one of the two windows is that the figures of the last minute come from. */
export const windowMs = 30_000;
/** An age falls into the first bucket whose bound it does not exceed: 1 ms, and half as much again from one to the next, up to 4 minutes. */
const bounds = Array.from({ length: 31 }, (_, i) => 1.5 ** i);
const buckets = bounds.length + 1;

/** When a batch is delivered, as all meters of its viewers count it. */
export interface DeliveryTime {
  /** The number of the window of the clock. */
  window: number;
  /** The bucket of its age; undefined for what is no live delivery. */
  bucket: number | undefined;
}

/** Milliseconds since 1970, both; `appendedAtMs` only for live events. */
export function deliveryTime(nowMs: number, appendedAtMs?: number): DeliveryTime {
  const window = Math.floor(nowMs / windowMs);
  if (appendedAtMs === undefined) return { window, bucket: undefined };
  const ageMs = nowMs - appendedAtMs;
  const bucket = bounds.findIndex((bound) => ageMs <= bound);
  return { window, bucket: bucket < 0 ? bounds.length : bucket };
}

/** Percentiles of the ages of what a viewer was sent, in milliseconds, from the log's append to the write to its connection. */
export interface DeliveryAges {
  p50: number;
  p95: number;
  p99: number;
}

/**
 * Counts what one viewer is sent. Ages and the rate are of this window and the one before, half a minute each. It takes 300 bytes, and those
 * only once something was sent.
 */
export class ViewerMeter {
  bytes = 0;
  events = 0;
  gaps = 0;
  missed = 0;
  #window = 0;
  /** Events of the present window, and of the one before. */
  #recent = 0;
  #before = 0;
  /** The buckets of even windows, then those of odd ones. */
  #ages: Uint32Array | undefined;

  /** Counts one write. */
  wrote(bytes: number, events: number, { window, bucket }: DeliveryTime): void {
    this.bytes += bytes;
    if (events === 0) return;
    this.events += events;
    if (window !== this.#window) this.#turn(window);
    this.#recent += events;
    if (bucket === undefined) return;
    this.#ages ??= new Uint32Array(2 * buckets);
    this.#ages[(window & 1) * buckets + bucket]! += events;
  }

  /** Events a second over what the two windows cover of the time since the viewer connected. */
  rate(nowMs: number, sinceMs: number): number {
    this.#turn(deliveryTime(nowMs).window);
    const from = Math.max(sinceMs, (this.#window - 1) * windowMs);
    // Who has just come has no rate of a million.
    return (this.#recent + this.#before) / Math.max(1, (nowMs - from) / 1000);
  }

  /** Undefined where nothing live was sent in the two windows. */
  ages(nowMs: number): DeliveryAges | undefined {
    this.#turn(deliveryTime(nowMs).window);
    const ages = this.#ages;
    if (ages === undefined) return undefined;
    const counts = Array.from({ length: buckets }, (_, i) => ages[i]! + ages[buckets + i]!);
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total === 0) return undefined;
    return {
      p50: percentile(counts, total * 0.5),
      p95: percentile(counts, total * 0.95),
      p99: percentile(counts, total * 0.99),
    };
  }

  #turn(window: number): void {
    if (window === this.#window) return;
    const isNext = window === this.#window + 1;
    this.#before = isNext ? this.#recent : 0;
    this.#recent = 0;
    this.#window = window;
    if (!isNext) this.#ages?.fill(0);
    else this.#ages?.fill(0, (window & 1) * buckets, ((window & 1) + 1) * buckets);
  }
}

/** The upper bound of the bucket, whole milliseconds; of the last one, what it begins with. */
function percentile(counts: readonly number[], rank: number): number {
  let seen = 0;
  const found = counts.findIndex((count) => (seen += count) >= rank);
  return Math.ceil(bounds[Math.min(found, bounds.length - 1)]!);
}
