import { storageTrouble, type StorageTrouble } from '@logloom/sqlite/storage-trouble';
import type { SetValue, Telemetry } from '@logloom/telemetry';
import { accessSync, constants } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runtimeMetrics } from '../runtime-metrics.ts';
import { roomOn, type DataFolder, type DiskRoom } from './disk-room.ts';

/** How often (ms) the free space is checked. */
const lookMs = 500;
/** How long (ms) a failed write counts although there seems to be space: there may be a quota. */
const failureMs = 1_000;

/** What prevents writes to the data folder. */
export interface Trouble {
  code: StorageTrouble;
  message: string;
}

export interface StorageWatchOptions extends DataFolder {
  /** The free space inside the files. */
  reusableBytes?: () => number;
}

/**
 * Watches the free space of the data folder. It counts as full while a reserve is left: DISK_RESERVE_BYTES, or 64 MiB, or 2 % of a smaller
 * disk. So acknowledged events still reach the views, positions are stored, and retention can make room.
 */
export class StorageWatch {
  readonly #folder: string;
  readonly #reserveBytes: number | undefined;
  readonly #reusableBytes: () => number;
  #trouble: Trouble | undefined;
  #failed: { trouble: Trouble; at: number } | undefined;

  constructor({ folder, reserveBytes, reusableBytes = () => 0 }: StorageWatchOptions) {
    this.#folder = folder;
    this.#reserveBytes = reserveBytes;
    this.#reusableBytes = reusableBytes;
    this.#trouble = this.#look();
  }

  get trouble(): Trouble | undefined {
    return this.#trouble;
  }

  /** Reports a failed write. */
  report(error: unknown): void {
    const code = storageTrouble(error);
    if (code === undefined) return;
    this.#failed = { trouble: { code, message: (error as Error).message }, at: Date.now() };
    this.#trouble = this.#failed.trouble;
  }

  /** Checks until the signal aborts; reports each change. */
  async run(signal: AbortSignal, onChange: (trouble: Trouble | undefined) => void): Promise<void> {
    let told: StorageTrouble | undefined;
    while (!signal.aborted) {
      this.#trouble = this.#look();
      if (this.#trouble?.code !== told) onChange(this.#trouble);
      told = this.#trouble?.code;
      await sleep(lookMs, undefined, { signal }).catch(() => {});
    }
  }

  #look(): Trouble | undefined {
    const folder = this.#folder;
    try {
      accessSync(folder, constants.W_OK);
      const { size, free, reserve } = roomOn({ folder, reserveBytes: this.#reserveBytes });
      // A file system that does not report its size says 0.
      if (size > 0 && free < reserve && free + this.#reusableBytes() < reserve) {
        const message = `LOGLOOM_DATA=${folder}: the disk has ${free} bytes left, fewer than the ${reserve} in reserve (DISK_RESERVE_BYTES); make room, or set a retention`;
        return { code: 'disk-full', message };
      }
    } catch (error) {
      const code = storageTrouble(error);
      if (code !== undefined) return { code, message: `LOGLOOM_DATA=${folder}: ${(error as Error).message}` };
    }
    const recent = this.#failed !== undefined && Date.now() - this.#failed.at < failureMs;
    return recent ? this.#failed!.trouble : undefined;
  }
}

/** Registers how much room the disk of the data folder has, looked at when metrics are asked for. */
export function observeDisk({ registry }: Pick<Telemetry, 'registry'>, data: DataFolder): void {
  const look = (part: keyof DiskRoom) => (set: SetValue<never>) => {
    try {
      set(roomOn(data)[part]);
    } catch {
      // What cannot be looked at has no value; readiness says what is wrong.
    }
  };
  runtimeMetrics.diskSize.observe(registry, look('size'));
  runtimeMetrics.diskFree.observe(registry, look('free'));
  runtimeMetrics.diskReserve.observe(registry, look('reserve'));
}
