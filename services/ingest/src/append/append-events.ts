import type { EventLog, NewRecord } from '@logloom/event-log';

const maxBatchRecords = 10_000;
const maxBatchBytes = 8 * 2 ** 20;

/** The memory that a record needs beside its value. */
const recordBytes = 400;

interface Waiting {
  records: NewRecord[];
  bytes: number;
  submission: Submission;
}

/** Called with records and their offsets, which begin at index `at`, in the order in which the records were added. */
export type OnStored = (records: readonly NewRecord[], offsets: readonly number[], at: number) => void;

/** The records of one batch, in order. Once an append of it has failed, no later record of it is appended. */
export class Submission {
  readonly #enqueue: (waiting: Waiting) => void;
  readonly #onStored: OnStored | undefined;
  #open = 0;
  #openBytes = 0;
  #failure: Error | undefined;
  #settled: (() => void) | undefined;
  #below: { bytes: number; resolve: () => void } | undefined;

  constructor(enqueue: (waiting: Waiting) => void, onStored?: OnStored) {
    this.#enqueue = enqueue;
    this.#onStored = onStored;
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Queues records behind all earlier ones, also those of other submissions. */
  add(records: NewRecord[]): void {
    if (records.length === 0 || this.failed) return;
    this.#open++;
    const bytes = bytesOf(records);
    this.#openBytes += bytes;
    this.#enqueue({ records, bytes, submission: this });
  }

  /** Resolves when the added records that are not durable yet need at most this many bytes of memory. */
  async below(bytes: number): Promise<void> {
    if (this.#openBytes > bytes) await new Promise<void>((resolve) => (this.#below = { bytes, resolve }));
  }

  /** Resolves when all added records are durable; rejects with the log's error when some may not be. */
  async done(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => (this.#settled = resolve));
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Called by the appender: the records of one add() have the offsets from index `at` on. */
  stored(records: readonly NewRecord[], offsets: readonly number[], at: number): void {
    this.#onStored?.(records, offsets, at);
  }

  /** Called by the appender, once for each add(). */
  settle(bytes: number, failure?: Error): void {
    this.#failure ??= failure;
    this.#openBytes -= bytes;
    if (this.#below !== undefined && this.#openBytes <= this.#below.bytes) this.#below.resolve();
    if (--this.#open === 0) this.#settled?.();
  }
}

export interface AppenderOptions {
  log: EventLog;
  topic: string;
  onAppend?: (records: number) => void;
  /** Wraps each append. */
  onBatch?: (records: readonly NewRecord[], append: () => Promise<number[]>) => Promise<number[]>;
}

/**
 * Group commit: concurrent requests share one append to a topic. One append is in flight at a time and what arrives meanwhile forms the
 * next, so the order in the log is the order of add(). A producer's later records are never stored when earlier ones of the same
 * submission failed: its retry would then be dropped as a duplicate.
 */
export class Appender {
  readonly #options: AppenderOptions;
  #queue: Waiting[] = [];
  #running = false;

  constructor(options: AppenderOptions) {
    this.#options = options;
  }

  /** Records that wait for the append before theirs. */
  get queuedRecords(): number {
    return this.#queue.reduce((sum, { records }) => sum + records.length, 0);
  }

  /** Begins a submission. */
  open(onStored?: OnStored): Submission {
    return new Submission((waiting) => {
      this.#queue.push(waiting);
      if (!this.#running) void this.#run();
    }, onStored);
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#queue.length > 0) {
      // Records that other requests add in this tick of the event loop join the append.
      await new Promise((resolve) => setImmediate(resolve));
      await this.#append(this.#nextBatch());
    }
    this.#running = false;
  }

  async #append(batch: Waiting[]): Promise<void> {
    const current = batch.filter(({ submission }) => !submission.failed);
    let failure: Error | undefined;
    try {
      const records =
        current.length === 1 ? current[0]!.records : current.flatMap((waiting) => waiting.records);
      const offsets = records.length > 0 ? await this.#write(records) : [];
      let at = 0;
      for (const { submission, records: own } of current) {
        submission.stored(own, offsets, at);
        at += own.length;
      }
      this.#options.onAppend?.(records.length);
    } catch (error) {
      failure = error as Error;
    }
    for (const { submission, bytes } of batch) submission.settle(bytes, failure);
  }

  async #write(records: NewRecord[]): Promise<number[]> {
    const { log, topic, onBatch } = this.#options;
    const append = (): Promise<number[]> => log.append(topic, records);
    return onBatch === undefined ? append() : onBatch(records, append);
  }

  #nextBatch(): Waiting[] {
    let records = 0;
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      records += waiting.records.length;
      bytes += waiting.bytes;
      if (count > 0 && (records > maxBatchRecords || bytes > maxBatchBytes)) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }
}

/** The memory that records need while they wait. */
export function bytesOf(records: readonly NewRecord[]): number {
  let bytes = records.length * recordBytes;
  for (const { value } of records) bytes += value.length;
  return bytes;
}
