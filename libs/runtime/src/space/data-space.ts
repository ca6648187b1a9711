import type { Telemetry } from '@logloom/telemetry';
import { setTimeout as sleep } from 'node:timers/promises';
import { roomOn, type DataFolder } from './disk-room.ts';
import { GrowthWindow, type Growth } from './growth-window.ts';
import { measureData, type DataSize } from './measure-data.ts';
import { runtimeMetrics } from '../runtime-metrics.ts';

/** How often (ms) the data is measured while nobody asks. */
const sampleMs = 60_000;
/** A measurement is good for this long (ms): it looks at every file. */
const freshMs = 5_000;

/** What `GET /api/status` says of the embedded stores' disk. In bytes. */
export interface SpaceReport {
  topics: Record<string, number>;
  stores: Record<string, number>;
  others: Record<string, number>;
  all: number;
  disk: { size: number; free: number; reserve: number };
  /** How fast the data grew; null while that is unknown. */
  growth: Growth | null;
  /** After so many days only the reserve is free, at this rate; null where the data does not grow, or its rate is unknown. */
  daysLeft: number | null;
}

export interface DataSpaceOptions extends DataFolder {
  /** The machine's clock in ms. */
  nowMs?: () => number;
}

/** Measures what the data folder takes of its disk, and how fast it grows. */
export class DataSpace {
  readonly #folder: string;
  readonly #reserveBytes: number | undefined;
  readonly #nowMs: () => number;
  readonly #window = new GrowthWindow();
  #last: { atMs: number; size: Promise<DataSize> } | undefined;
  #measured: DataSize | undefined;

  constructor({ folder, reserveBytes, nowMs = Date.now }: DataSpaceOptions) {
    this.#folder = folder;
    this.#reserveBytes = reserveBytes;
    this.#nowMs = nowMs;
  }

  /** What the files take, a few seconds old at most. */
  measure(): Promise<DataSize> {
    const atMs = this.#nowMs();
    if (this.#last === undefined || Math.abs(atMs - this.#last.atMs) > freshMs) {
      const size = measureData(this.#folder);
      size.then(
        (measured) => {
          this.#measured = measured;
          this.#window.add(atMs, measured.all);
        },
        () => (this.#last = undefined),
      );
      this.#last = { atMs, size };
    }
    return this.#last.size;
  }

  /** Rejects with the file system's error. */
  async report(): Promise<SpaceReport> {
    const measured = await this.measure();
    const disk = roomOn({ folder: this.#folder, reserveBytes: this.#reserveBytes });
    const growth = this.#window.growth ?? null;
    const left = Math.max(0, disk.free - disk.reserve);
    const daysLeft = growth !== null && growth.bytesPerDay > 0 ? left / growth.bytesPerDay : null;
    return { ...measured, disk, growth, daysLeft: daysLeft === null ? null : Number(daysLeft.toFixed(1)) };
  }

  /** Registers what the files took when they were last measured. */
  observe({ registry }: Pick<Telemetry, 'registry'>): void {
    runtimeMetrics.dataBytes.observe(registry, (set) => {
      for (const kind of ['topics', 'stores', 'others'] as const)
        for (const [name, bytes] of Object.entries(this.#measured?.[kind] ?? {})) set(bytes, { kind, name });
    });
  }

  /** Measures now and then until the signal aborts, so that the rate is known when it is asked for. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.measure().catch(() => {});
      await sleep(sampleMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }
}
