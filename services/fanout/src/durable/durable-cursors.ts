import { CodedError } from '@logloom/errors';
import type { JobRecords, RecordsUsage } from '@logloom/job-queue';
import { RemovalClock, type RemovalClockState } from '@logloom/runtime';
import type { Logger } from '@logloom/telemetry';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StreamName } from '../protocol/client-message.ts';
import { viewerErrors } from '../protocol/viewer-errors.ts';

/** How far a durable subscription has got. */
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
  /** A name that is not used for this long is forgotten. */
  expireMs: number;
  /** Names of one principal. */
  namesPerPrincipal: number;
  /** What all names take together, with their filters and cursors. */
  totalBytes: number;
  /** The machine's clock in ms, and a monotonic clock in ms. */
  nowMs?: () => number;
  passed?: () => number;
}

const kind = 'live-durable';
const clockKind = 'removal-clock';
const saveMs = 250;
const sweepMs = 3_600_000;
/** An unreachable store must not delay a viewer's subscription forever. */
const openMs = 5_000;
/** Names in one page of a sweep. */
const sweepStep = 200;
/** Clocks of several processes differ by less. */
const aheadMs = 60_000;
/** A count is valid for this long; other processes add names too. */
const countedMs = 10_000;
/** The memory of a name beside its text. */
const recordBytes = 200;

/** There is no space for another name. */
export class TooManyNamesError extends CodedError<'too-many-durables'> {
  constructor(message: string) {
    super(viewerErrors, 'too-many-durables', message);
  }
}

/**
 * The cursors of named viewers, stored on the server. A moved cursor is durable after at most saveMs and one write, together with all
 * others that moved meanwhile; only then is its viewer told. After a crash before that, delivery continues at the cursor that the viewer
 * was last told: at least once, never a loss. Processes share the store; the last one to save a name wins.
 */
export class DurableCursors {
  readonly #options: DurableCursorsOptions;
  readonly #now: () => number;
  readonly #clock: RemovalClock;
  readonly #owners = new Map<string, () => void>();
  readonly #known = new Map<string, DurableCursor>();
  #moved = new Map<string, (() => void)[]>();
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();
  #sweeping: NodeJS.Timeout | undefined;
  /** By the principal's prefix; the total is under the empty prefix. */
  readonly #usage = new Map<string, Promise<RecordsUsage>>();

  constructor(options: DurableCursorsOptions) {
    this.#options = options;
    const { logger, nowMs: now = Date.now, passed } = options;
    this.#now = now;
    this.#clock = new RemovalClock({
      nowMs: now,
      ...(passed && { passed }),
      load: async () =>
        (await this.#inTime((records) => records.get(clockKind, kind))) as RemovalClockState | undefined,
      save: (state) => this.#inTime((records) => records.put(clockKind, kind, state)),
      onAhead: ({ aheadMs }) =>
        logger.warn(
          { aheadSeconds: Math.round(aheadMs / 1000) },
          "the machine's clock jumped ahead: durable names expire by the earlier time until the new one has lasted for a day",
        ),
    });
  }

  /**
   * Takes a name, which begins with its principal's prefix, for one subscription and returns its cursor, if it is known. `onTaken` is
   * called when another subscription of this process takes it. Rejects with TooManyNamesError when there is no room for another name, and
   * when the store is unreachable.
   */
  async take(
    name: string,
    prefix: string,
    filter: string,
    onTaken: () => void,
  ): Promise<DurableCursor | undefined> {
    this.#sweeping ??= setInterval(() => void this.sweep(), sweepMs).unref();
    this.#owners.get(name)?.();
    this.#owners.set(name, onTaken);
    // A cursor that is still being written is newer than the stored one.
    const moving = this.#moved.has(name) ? this.#known.get(name) : undefined;
    if (moving !== undefined) return moving;
    const known = (await this.#inTime((records) => records.get(kind, name))) as DurableCursor | undefined;
    if (known === undefined) await this.#takeRoom(name, prefix, filter);
    return known;
  }

  async #takeRoom(name: string, prefix: string, filter: string): Promise<void> {
    const { namesPerPrincipal, totalBytes } = this.#options;
    const [own, all] = await Promise.all([this.#used(prefix), this.#used('')]);
    const bytes = Buffer.byteLength(name) + Buffer.byteLength(filter) + recordBytes;
    if (own.count >= namesPerPrincipal)
      throw new TooManyNamesError(`a principal may have ${namesPerPrincipal} durable names`);
    // One principal may take a quarter of the space.
    if (own.bytes + bytes > totalBytes / 4 || all.bytes + bytes > totalBytes)
      throw new TooManyNamesError('no room is left for more durable names and filters');
    for (const used of [own, all]) {
      used.count++;
      used.bytes += bytes;
    }
  }

  #used(prefix: string): Promise<RecordsUsage> {
    const counted = this.#usage.get(prefix);
    if (counted !== undefined) return counted;
    const counting = (async () => {
      await this.save();
      return this.#inTime((records) => records.usage(kind, prefix));
    })();
    this.#usage.set(prefix, counting);
    // Kept only while the reservation lasts.
    const forget = (): void => {
      if (this.#usage.get(prefix) === counting) this.#usage.delete(prefix);
    };
    counting.then(() => setTimeout(forget, countedMs).unref(), forget);
    return counting;
  }

  /** Releases the name, if the subscription with this `onTaken` still owns it. */
  release(name: string, onTaken: () => void): void {
    if (this.#owners.get(name) !== onTaken) return;
    this.#owners.delete(name);
    if (!this.#moved.has(name)) this.#known.delete(name);
  }

  /** Moves a name's cursor; `onSaved` is called when that is durable. */
  move(name: string, to: Omit<DurableCursor, 'usedAt'>, onSaved: () => void = () => {}): void {
    this.#known.set(name, { ...to, usedAt: this.#now() });
    const waiting = this.#moved.get(name);
    if (waiting === undefined) this.#moved.set(name, [onSaved]);
    else waiting.push(onSaved);
    this.#timer ??= setTimeout(() => void this.save(), saveMs);
  }

  /** A page of the names that begin with `prefix`, about `limit` of them; `next` is the cursor of the next page. */
  async list(
    prefix: string,
    limit: number,
    cursor?: string,
  ): Promise<{ names: (DurableCursor & { name: string })[]; next?: string }> {
    await this.save();
    const { entries, next } = await this.#inTime((records) => records.page(kind, prefix, limit, cursor));
    const names = entries.map(({ id, value }) => ({
      name: id.slice(prefix.length),
      ...(value as DurableCursor),
    }));
    return { names, ...(next === undefined ? {} : { next }) };
  }

  /** Forgets a name; the subscription that owns it loses it. Returns false when the name is unknown. */
  async delete(name: string): Promise<boolean> {
    await this.save();
    this.#owners.get(name)?.();
    this.#owners.delete(name);
    this.#known.delete(name);
    this.#usage.clear();
    return await this.#inTime((records) => records.delete(kind, name));
  }

  /** Writes the cursors that have moved. */
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
      this.#options.logger.warn(
        { err: error },
        'cursors of durable subscriptions cannot be stored; retrying',
      );
      for (const [name, waiting] of moved)
        this.#moved.set(name, [...waiting, ...(this.#moved.get(name) ?? [])]);
      this.#timer ??= setTimeout(() => void this.save(), 4 * saveMs).unref();
      return;
    }
    for (const [name, waiting] of moved) {
      for (const onSaved of waiting) onSaved();
      if (!this.#owners.has(name) && !this.#moved.has(name)) this.#known.delete(name);
    }
  }

  /** Hourly, forgets names that have not been used for long. Owned names count as used. */
  async sweep(): Promise<void> {
    for (const [name, known] of this.#known) if (this.#owners.has(name)) this.move(name, known);
    await this.save();
    try {
      const now = await this.#clock.read();
      let cursor: string | undefined;
      do {
        const { entries, next } = await this.#inTime((records) => records.page(kind, '', sweepStep, cursor));
        for (const { id, value } of entries) {
          const known = value as DurableCursor;
          if (known.usedAt < now - this.#options.expireMs)
            await this.#inTime((records) => records.delete(kind, id));
          // It was used while the clock was ahead, and would be kept until that time is reached.
          else if (known.usedAt > this.#now() + aheadMs && !this.#owners.has(id)) {
            const latest = (await this.#inTime((records) => records.get(kind, id))) as
              DurableCursor | undefined;
            if (latest?.usedAt === known.usedAt)
              await this.#inTime((records) => records.replace(kind, id, { ...latest, usedAt: now }));
          }
        }
        cursor = next;
        // Viewers are served between the pages.
        await new Promise((resolve) => setImmediate(resolve));
      } while (cursor !== undefined);
      this.#usage.clear();
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'durable names could not be swept');
    }
  }

  async #inTime<T>(work: (records: JobRecords) => Promise<T>): Promise<T> {
    const late = new AbortController();
    const timeout = sleep(openMs, undefined, { signal: late.signal, ref: false }).then(() => {
      throw new Error('the store of durable cursors does not respond');
    });
    timeout.catch(() => {});
    try {
      return await Promise.race([this.#options.records().then(work), timeout]);
    } finally {
      late.abort();
    }
  }
}
