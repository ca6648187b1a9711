import type { Telemetry } from '../telemetry.ts';
import { telemetryMetrics } from './own-metrics.ts';

export type AgeStage = 'searchable' | 'correlated' | 'sent';

/**
 * Counts how old events are at the end of a stage. It costs one observation for each append to the log, not for each event: the log
 * gives all records of an append the same time.
 */
export class EventAges {
  readonly #histogram;
  readonly #now: () => number;
  #aheadMs = 0;

  /** `now`: milliseconds since 1970. */
  constructor({ registry }: Pick<Telemetry, 'registry'>, stage: AgeStage, now: () => number = Date.now) {
    this.#histogram = telemetryMetrics.eventAge.weighted(registry, { stage });
    this.#now = now;
    telemetryMetrics.clockAhead.observe(registry, (set) => set(this.#aheadMs / 1000));
  }

  /** Counts `count` events that were appended at this time, milliseconds since 1970. */
  add(appendedAtMs: number, count: number): void {
    const nowMs = this.#now();
    this.#aheadMs = Math.max(0, appendedAtMs - nowMs);
    this.#histogram.add(ageSeconds(nowMs, appendedAtMs), count);
  }

  /** Counts the events of records in the order of the log. */
  addRecords(records: readonly { timestampMs: number }[]): void {
    const nowMs = this.#now();
    if (records.length > 0) this.#aheadMs = Math.max(0, records.at(-1)!.timestampMs - nowMs);
    for (let first = 0; first < records.length;) {
      const { timestampMs } = records[first]!;
      let next = first + 1;
      while (next < records.length && records[next]!.timestampMs === timestampMs) next++;
      this.#histogram.add(ageSeconds(nowMs, timestampMs), next - first);
      first = next;
    }
  }
}

/** Never negative: the clock of the log's machine may be ahead of ours (`logloom_log_clock_ahead_seconds`). */
export function ageSeconds(nowMs: number, appendedAtMs: number): number {
  return Math.max(0, nowMs - appendedAtMs) / 1000;
}
