import { warmUp, type DuplicateWindow, type EventLog } from '@logloom/event-log';
import { LogClock } from '@logloom/event-log/log-clock';
import type { WindowRun } from '@logloom/rules/windows';
import { SchemaRegistryError, type Decoded, type Serde } from '@logloom/schema-registry';
import { isBackfill, isOfEpoch, placeEvent, topics, type Correlation } from '@logloom/schemas';

const recordsPerRead = 1000;

/** One partition of the range that rules are tried on: its events, and the requests that closed among them, in the order of the log. */
export class BacktestInput {
  readonly partition: number;
  isDone: boolean;
  events = 0;
  requests = 0;
  /** As it closed the requests, so that a clock that was ahead and set back makes no events simultaneous. */
  readonly #clock: LogClock;
  readonly #log: EventLog;
  readonly #serde: Serde;
  readonly #run: WindowRun;
  readonly #epoch: string;
  readonly #from: number;
  readonly #to: number;
  #next: number;
  #documentsNext: number;
  #documents: Correlation[] = [];
  #documentsEnded = false;
  #window: DuplicateWindow | undefined;

  constructor(
    { log, serde, fromMs }: { log: EventLog; serde: Serde; fromMs: number },
    run: WindowRun,
    epoch: string,
    partition: number,
    range: { from: number; to: number },
    /** The first document that can be of a request that closed in the range. */
    documentsFrom: number,
  ) {
    this.partition = partition;
    this.#clock = new LogClock({ now: fromMs, mark: fromMs });
    this.isDone = range.from >= range.to;
    this.#log = log;
    this.#serde = serde;
    this.#run = run;
    this.#epoch = epoch;
    this.#from = this.#next = range.from;
    this.#to = range.to;
    this.#documentsNext = documentsFrom;
  }

  /** The time of the log up to which everything was read, ms. */
  get clockMs(): number {
    return this.#clock.nowMs;
  }

  /** Reads the next records into the rules. */
  async readMore(): Promise<void> {
    const read = await this.#log.read(topics.events, this.partition, this.#next, recordsPerRead);
    const records = read.filter(({ offset }) => offset < this.#to);
    this.#next = (records.at(-1)?.offset ?? this.#to) + 1;
    this.isDone = records.length === 0 || this.#next >= this.#to;
    await this.#serde.load(records.map(({ value }) => value));
    this.#window ??= await warmUp(
      { log: this.#log, topic: topics.events, partition: this.partition },
      this.#from,
      (each) => this.#serde.sources(each.map(({ value }) => value)),
    );
    for (const record of records) {
      const { offset, timestampMs, value } = record;
      this.#clock.advance(timestampMs);
      const decoded = this.#decode(value);
      if (decoded?.name === 'LogEvent' && this.#window.admit(decoded.value.source, offset)) {
        this.events++;
        const event = placeEvent(decoded.value, this.#epoch, this.partition, offset);
        if (!isBackfill(record)) this.#run.addEvent(this.partition, event, this.clockMs);
      }
      await this.#addClosedBy(offset);
    }
  }

  async #addClosedBy(offset: number): Promise<void> {
    for (;;) {
      const [document] = this.#documents;
      if (document === undefined) {
        if (this.#documentsEnded) return;
        await this.#readDocuments();
        continue;
      }
      if (document.closeOffset > offset) return;
      this.#documents.shift();
      if (document.closeOffset < this.#from) continue;
      if (document.revision === 1 && document.joinedInto === null) this.requests++;
      this.#run.addRequest(this.partition, document, this.clockMs);
    }
  }

  async #readDocuments(): Promise<void> {
    const records = await this.#log.read(
      topics.correlations,
      this.partition,
      this.#documentsNext,
      recordsPerRead,
    );
    this.#documentsEnded = records.length === 0;
    if (records.length === 0) return;
    this.#documentsNext = records.at(-1)!.offset + 1;
    await this.#serde.load(records.map(({ value }) => value));
    for (const record of records) {
      const decoded = isOfEpoch(record, this.#epoch) ? this.#decode(record.value) : undefined;
      if (decoded?.name === 'Correlation') this.#documents.push(decoded.value);
    }
  }

  #decode(value: Buffer): Decoded | undefined {
    try {
      return this.#serde.decode(value);
    } catch (error) {
      if (error instanceof SchemaRegistryError) return undefined;
      throw error;
    }
  }
}
