import type { EventLog, NewRecord } from '@logloom/event-log';

const maxBatchRecords = 10_000;
const maxBatchBytes = 8 * 2 ** 20;

/** What a record costs in memory beside its value. */
const recordBytes = 400;

interface Waiting {
  records: NewRecord[];
  bytes: number;
  submission: Submission;
}

/** Is told where records are, in the order in which they were added. */
export type OnStored = (records: readonly NewRecord[], offsets: readonly number[], at: number) => void;

/** The records of one request or raw batch, in order. Once an append of it failed, nothing that follows is appended. */
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

  /** Queues records behind all that were queued before, whoever queued them. */
  add(records: NewRecord[]): void {
    if (records.length === 0 || this.failed) return;
    this.#open++;
    const bytes = bytesOf(records);
    this.#openBytes += bytes;
    this.#enqueue({ records, bytes, submission: this });
  }

  /** Resolves when what was added and is not durable yet needs at most so many bytes of memory. */
  async below(bytes: number): Promise<void> {
    if (this.#openBytes > bytes) await new Promise<void>((resolve) => (this.#below = { bytes, resolve }));
  }

  /** Resolves when everything that was added is durable; rejects with the log's error when some of it may not be. */
  async done(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => (this.#settled = resolve));
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Called by the appender: these records, of one add(), have the offsets from `at` on in the list. */
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
  /** Put around each append. */
  onBatch?: (records: readonly NewRecord[], append: () => Promise<number[]>) => Promise<number[]>;
}

/**
 * Group commit: concurrent requests share one append to a topic. One append is in flight at a time; what comes meanwhile forms the
 * next, so the order in the log is the order of add(). A producer's later records are never stored when earlier ones of the same
 * submission failed: its retry would then be taken for a copy.
 */
export class Appender {
  readonly #options: AppenderOptions;
  #queue: Waiting[] = [];
  #running = false;

  constructor(options: AppenderOptions) {
    this.#options = options;
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
      // What other requests have ready in this turn of the event loop joins the batch.
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
