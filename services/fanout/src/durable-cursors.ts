import type { JobRecords } from '@logloom/job-queue';
import type { Logger } from '@logloom/telemetry';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StreamName } from './client-message.ts';

/** Where a named viewer has got to. */
export interface DurableCursor {
  stream: StreamName;
  filter: string;
  cursor: string;
  /** Milliseconds since 1970. */
  usedAt: number;
}

export interface DurableCursorsOptions {
  /** Opened when the first name is used. */
  records: () => Promise<JobRecords>;
  logger: Logger;
  /** A name that is not used for so long is forgotten. */
  expireMs: number;
}

const kind = 'live-durable';
const saveMs = 250;
const sweepMs = 3_600_000;
/** A store out of reach must not hold a viewer's subscription for ever. */
const openMs = 5_000;

/**
 * The cursors of named viewers, kept on the server. What was moved is durable after at most saveMs and one write, together with
 * whatever else moved meanwhile, and only then is its viewer told. A crash before that goes back to what the viewer was last told:
 * at least once, never a loss. Processes share the store; the last one to save a name wins.
 */
export class DurableCursors {
  readonly #options: DurableCursorsOptions;
  readonly #holders = new Map<string, () => void>();
  readonly #known = new Map<string, DurableCursor>();
  #moved = new Map<string, (() => void)[]>();
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();
  #sweeping: NodeJS.Timeout | undefined;

  constructor(options: DurableCursorsOptions) {
    this.#options = options;
  }

  /**
   * Takes a name for one subscription and gives where it stands, if it is known. `onTaken` is called when another subscription of
   * this process takes it. Rejects when the store is out of reach.
   */
  async take(name: string, onTaken: () => void): Promise<DurableCursor | undefined> {
    this.#sweeping ??= setInterval(() => void this.#sweep(), sweepMs).unref();
    this.#holders.get(name)?.();
    this.#holders.set(name, onTaken);
    // What is still on its way there is newer than what is there.
    const moving = this.#moved.has(name) ? this.#known.get(name) : undefined;
    return (
      moving ?? ((await this.#inTime((records) => records.get(kind, name))) as DurableCursor | undefined)
    );
  }

  /** Gives the name back, if it is still held by the one with this `onTaken`. */
  release(name: string, onTaken: () => void): void {
    if (this.#holders.get(name) !== onTaken) return;
    this.#holders.delete(name);
    if (!this.#moved.has(name)) this.#known.delete(name);
  }

  /** Moves a name's cursor; `onSaved` is called when that is durable. */
  move(name: string, to: Omit<DurableCursor, 'usedAt'>, onSaved: () => void = () => {}): void {
    this.#known.set(name, { ...to, usedAt: Date.now() });
    const waiting = this.#moved.get(name);
    if (waiting === undefined) this.#moved.set(name, [onSaved]);
    else waiting.push(onSaved);
    this.#timer ??= setTimeout(() => void this.save(), saveMs);
  }

  /** The names that begin with `prefix`. */
  async list(prefix: string): Promise<(DurableCursor & { name: string })[]> {
    await this.save();
    const all = await this.#inTime((records) => records.list(kind));
    return all
      .filter(({ id }) => id.startsWith(prefix))
      .map(({ id, value }) => ({ name: id.slice(prefix.length), ...(value as DurableCursor) }));
  }

  /** Forgets a name; who holds it loses it. False when there is none. */
  async delete(name: string): Promise<boolean> {
    await this.save();
    this.#holders.get(name)?.();
    this.#holders.delete(name);
    this.#known.delete(name);
    return await this.#inTime((records) => records.delete(kind, name));
  }

  /** Writes what has moved. */
  save(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#saving = this.#saving.then(() => this.#write());
    return this.#saving;
  }

  async #write(): Promise<void> {
    const moved = this.#moved;
    if (moved.size === 0) return;
    this.#moved = new Map();
    const entries = Array.from(moved.keys(), (id) => ({ id, value: this.#known.get(id) })).filter(
      ({ value }) => value !== undefined,
    );
    try {
      await this.#inTime((records) => records.putAll(kind, entries));
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'cursors of durable viewers cannot be kept; trying again');
      for (const [name, waiting] of moved)
        this.#moved.set(name, [...waiting, ...(this.#moved.get(name) ?? [])]);
      this.#timer ??= setTimeout(() => void this.save(), 4 * saveMs).unref();
      return;
    }
    for (const [name, waiting] of moved) {
      for (const onSaved of waiting) onSaved();
      if (!this.#holders.has(name) && !this.#moved.has(name)) this.#known.delete(name);
    }
  }

  /** Forgets what has not been used for long. What is held counts as used. */
  async #sweep(): Promise<void> {
    for (const [name, known] of this.#known) if (this.#holders.has(name)) this.move(name, known);
    await this.save();
    try {
      for (const { id, value } of await this.#inTime((records) => records.list(kind)))
        if ((value as DurableCursor).usedAt < Date.now() - this.#options.expireMs)
          await this.#inTime((records) => records.delete(kind, id));
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'durable viewers cannot be looked through');
    }
  }

  async #inTime<T>(work: (records: JobRecords) => Promise<T>): Promise<T> {
    const late = new AbortController();
    const timeout = sleep(openMs, undefined, { signal: late.signal, ref: false }).then(() => {
      throw new Error('the store of durable viewers does not answer');
    });
    timeout.catch(() => {});
    try {
      return await Promise.race([this.#options.records().then(work), timeout]);
    } finally {
      late.abort();
    }
  }
}
