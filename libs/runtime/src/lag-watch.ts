import { skippedBetween, type EventLog } from '@logloom/event-log';
import { ageSeconds, type Telemetry } from '@logloom/telemetry';
import { setTimeout as sleep } from 'node:timers/promises';
import { runtimeMetrics } from './runtime-metrics.ts';

/** Where a consumer is in a topic. */
export interface ConsumerPositions {
  group: string;
  topic: string;
  /** Per partition, the offset that it reads next. */
  positions: readonly number[];
}

export interface LagWatchOptions {
  log: Pick<EventLog, 'startOffsets' | 'endOffsets' | 'read' | 'skippedOffsets'>;
  telemetry: Pick<Telemetry, 'registry' | 'logger'>;
  consumers: () => Promise<readonly ConsumerPositions[]> | readonly ConsumerPositions[];
  /** Milliseconds since 1970; default Date.now. */
  nowMs?: () => number;
}

interface Lag {
  group: string;
  topic: string;
  partition: number;
  position: number;
  records: number;
  /** When the oldest unread record was appended; undefined where there is none, or it could not be read. */
  oldestAtMs: number | undefined;
}

const lookMs = 10_000;

/**
 * Measures how far consumers lag, every 10 s, and not when metrics are asked for: a log that does not answer must not hold them up. The
 * age of the oldest unread record is computed when it is asked for, so it grows meanwhile.
 */
export class LagWatch {
  readonly #options: LagWatchOptions;
  #lags = new Map<string, Lag>();

  constructor(options: LagWatchOptions) {
    this.#options = options;
    const { nowMs = Date.now } = options;
    const { registry } = options.telemetry;
    runtimeMetrics.lagRecords.observe(registry, (set) => {
      for (const { records, ...lag } of this.#lags.values()) set(records, labelsOf(lag));
    });
    runtimeMetrics.lagSeconds.observe(registry, (set) => {
      for (const lag of this.#lags.values()) {
        const { records, oldestAtMs } = lag;
        if (records > 0 && oldestAtMs === undefined) continue;
        set(oldestAtMs === undefined ? 0 : ageSeconds(nowMs(), oldestAtMs), labelsOf(lag));
      }
    });
  }

  /** Looks until the signal aborts. It never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.look();
      } catch (err) {
        this.#options.telemetry.logger.debug({ err }, 'the lag of consumers cannot be measured at present');
      }
      await sleep(lookMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** Looks once. Rejects when the log cannot be asked. */
  async look(): Promise<void> {
    const { log, consumers } = this.#options;
    const lags = new Map<string, Lag>();
    const found = await consumers();
    const bounds = new Map<string, { start: number[]; end: number[] }>();
    for (const topic of new Set(found.map((consumer) => consumer.topic))) {
      const [start, end] = await Promise.all([log.startOffsets(topic), log.endOffsets(topic)]);
      bounds.set(topic, { start, end });
    }
    for (const { group, topic, positions } of found) {
      const { start, end } = bounds.get(topic)!;
      for (const [partition, given] of positions.entries()) {
        const position = Math.max(given, start[partition]!);
        const skipped = skippedBetween(log, topic, partition, position, end[partition]!);
        const records = Math.max(0, end[partition]! - position - skipped);
        const key = `${group} ${topic} ${partition}`;
        const oldestAtMs =
          records === 0 ? undefined : await this.#appendedAt(key, topic, partition, position);
        lags.set(key, { group, topic, partition, position, records, oldestAtMs });
      }
    }
    this.#lags = lags;
  }

  async #appendedAt(
    key: string,
    topic: string,
    partition: number,
    position: number,
  ): Promise<number | undefined> {
    const known = this.#lags.get(key);
    if (known?.position === position && known.oldestAtMs !== undefined) return known.oldestAtMs;
    try {
      const [record] = await this.#options.log.read(topic, partition, position, 1);
      return record?.timestampMs;
    } catch {
      // A part of the log that cannot be read is reported by its readers.
      return undefined;
    }
  }
}

function labelsOf({ group, topic, partition }: Pick<Lag, 'group' | 'topic' | 'partition'>) {
  return { group, topic, partition: String(partition) };
}
