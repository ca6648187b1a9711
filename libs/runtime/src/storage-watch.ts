import { storageTrouble, type StorageTrouble } from '@logloom/sqlite/storage-trouble';
import { accessSync, constants, statfsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often (ms) the free space is checked. */
const lookMs = 500;
/** Reserved for the views of accepted events and for retention: deleting needs space too. */
const mostReserve = 64 * 2 ** 20;
const reserveShare = 0.02;
/** How long (ms) a failed write counts although there seems to be space: there may be a quota. */
const failureMs = 1_000;

/** What prevents writes to the data folder. */
export interface Trouble {
  code: StorageTrouble;
  message: string;
}

/**
 * Watches the free space of the data folder. It counts as full while a reserve is left: 64 MiB, or 2 % of a smaller disk. So acknowledged
 * events still reach the views, positions are stored, and retention can make room.
 */
export class StorageWatch {
  readonly #folder: string;
  readonly #reusableBytes: () => number;
  #trouble: Trouble | undefined;
  #failed: { trouble: Trouble; at: number } | undefined;

  /** `reusableBytes`: the free space inside the files. */
  constructor(folder: string, reusableBytes: () => number = () => 0) {
    this.#folder = folder;
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
      const { bavail, blocks, bsize } = statfsSync(folder);
      const free = bavail * bsize;
      const reserve = Math.min(mostReserve, blocks * bsize * reserveShare);
      // A file system that does not report its size has 0 blocks.
      if (blocks > 0 && free < reserve && free + this.#reusableBytes() < reserve) {
        const message = `LOGLOOM_DATA=${folder}: the disk has ${free} bytes left, fewer than the ${Math.floor(reserve)} in reserve; make room, or set a retention`;
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
