import { EventLogError, partitionOf, type EventLog, type NewRecord } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { placeId, senderHeaders, topics, type LogEvent, type Sender, type Source } from '@logloom/schemas';
import type { Carrier, Telemetry, TraceHeaders, Tracing } from '@logloom/telemetry';
import { Appender, bytesOf, type OnStored, type Submission } from '../append/append-events.ts';
import { IngestError, reject, type Rejection } from '../errors.ts';
import { JointLetter } from './joint-dead-letter.ts';
import type { Normalizer } from '../event/normalize.ts';
import type { Producer } from '../producers/producer.ts';
import type { Redactor } from '../redact/redactor.ts';
import { ServiceAllowance } from '../quotas/service-allowance.ts';
import type { ServiceQuotas } from '../quotas/service-quotas.ts';
import { spans, type IngestMetrics } from '../telemetry.ts';

export interface IntakeOptions {
  log: EventLog;
  /** Of logs.events, for the ids of its events. */
  epoch: string;
  serde: Serde;
  normalizer: Normalizer;
  /** Partitions of logs.events. */
  partitions: number;
  /** Partitions of logs.dead-letter. */
  deadLetterPartitions: number;
  metrics: IngestMetrics;
  logger: Telemetry['logger'];
  tracing: Tracing;
  /** Told of each append that failed. */
  onFailure?: (error: unknown) => void;
  /** Unset: nothing is redacted. */
  redactor?: Redactor | undefined;
  /** Unset: no service has a quota. */
  services?: ServiceQuotas | undefined;
  /** Whether events keep who sent them, in the headers of their records. */
  recordSenders?: boolean | undefined;
}

/** What a unit of work may hold in memory, and store. */
export interface UnitLimits {
  /** Bytes of records that are not durable yet. */
  windowBytes: number;
  /** Bytes of refused events that have dead letters of their own, and bytes that these add; what is refused beyond shares letters. */
  letterBytes: number;
  /** The largest letter that refused events share. */
  maxLetterBytes: number;
  /** Events that may be refused; those that follow are not even read. */
  maxRejected: number;
  /** Claims what has to be held until all of it is there. Throws where there is no room. */
  hold: (bytes: number) => void;
}

export interface UnitOptions {
  /** Whether it counts against the quotas of its services; default true. */
  hasQuotas?: boolean;
  limits?: UnitLimits;
  /** Who numbers the events; default: whoever calls sees to that no event comes twice. */
  producer?: Producer;
  /** Is told the ids of the accepted events, in order, once they are durable. */
  onId?: (id: string) => void;
  /** See IntakeUnit.from(). */
  sender?: Sender;
}

const ampleLimits: UnitLimits = {
  windowBytes: 8 * 2 ** 20,
  letterBytes: Infinity,
  maxLetterBytes: 2 ** 20,
  maxRejected: Infinity,
  hold: () => {},
};
const sliceBytes = 2 ** 20;
/** What a letter needs beside its payload. */
const letterOverhead = 200;

/** Where every door hands in what it has read: events go to logs.events, what was refused to logs.dead-letter. */
export class Intake {
  readonly normalizer: Normalizer;
  readonly tracing: Tracing;
  readonly #options: IntakeOptions;
  readonly #events: Appender;
  readonly #deadLetters: Appender;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.normalizer = options.normalizer;
    this.tracing = options.tracing;
    this.#events = new Appender({
      log: options.log,
      topic: topics.events,
      onAppend: (records) => options.metrics.appendRecords.observe(records),
      onBatch: (records, append) =>
        options.tracing.batch(spans.send, records, (span) => {
          span.set({ 'messaging.batch.message_count': records.length });
          return append();
        }),
    });
    this.#deadLetters = new Appender({ log: options.log, topic: topics.deadLetter });
  }

  /** Begins one unit of work, a request or a batch of records. */
  open(
    door: string,
    { hasQuotas = true, limits = ampleLimits, producer, sender, onId }: UnitOptions = {},
  ): IntakeUnit {
    const { services, epoch } = this.#options;
    const allowance = hasQuotas && services !== undefined ? new ServiceAllowance(services, door) : undefined;
    const numbered = producer?.isNumbered === true ? new NumberedEvents(producer) : undefined;
    const onStored: OnStored | undefined =
      onId === undefined && numbered === undefined
        ? undefined
        : (records, offsets, at) => {
            if (onId !== undefined)
              records.forEach(({ partition }, i) => onId(placeId(epoch, partition, offsets[at + i]!)));
            numbered?.stored(records.length);
          };
    const unit = new IntakeUnit(
      door,
      this.#options,
      this.#events.open(onStored),
      this.#deadLetters.open(),
      allowance,
      limits,
      numbered,
    );
    unit.from(sender);
    return unit;
  }
}

/** The sources of a request's numbered events, until they are durable. */
class NumberedEvents {
  readonly #producer: Producer;
  readonly #waiting: Source[] = [];
  #next = 0;

  constructor(producer: Producer) {
    this.#producer = producer;
  }

  isDurable(source: Source): boolean {
    return this.#producer.isDurable(source);
  }

  accepted(source: Source): void {
    this.#waiting.push(source);
  }

  /** So many more are durable, in the order in which they were accepted. */
  stored(count: number): void {
    for (const end = this.#next + count; this.#next < end; this.#next++)
      this.#producer.stored(this.#waiting[this.#next]!);
  }
}

/** Collects a slice's records and hands them to the appenders at flush(). */
export class IntakeUnit {
  readonly #door: string;
  readonly #options: IntakeOptions;
  readonly #events: Submission;
  readonly #deadLetters: Submission;
  readonly #limits: UnitLimits;
  #sender: Sender | undefined;
  readonly #numbered: NumberedEvents | undefined;
  #duplicates = 0;
  #letterBytes = 0;
  #letters = 0;
  #joint: JointLetter | undefined;
  /** Bytes since the last flush. */
  #sliceBytes = 0;
  #records: NewRecord[] = [];
  #deadRecords: NewRecord[] = [];
  readonly #traceHeaders: TraceHeaders | undefined;
  /** Those of the sender, and with the active span's. */
  #senderHeaders: Record<string, string> | undefined;
  #headers: TraceHeaders | undefined;
  readonly #allowance: ServiceAllowance | undefined;
  /** What waits until the services of all that there is are known. */
  #held: [events: NewRecord[], deadLetters: NewRecord[]][] = [];
  #accepted = 0;
  #rejected = new Map<string, number>();
  #rejectedCount = 0;

  constructor(
    door: string,
    options: IntakeOptions,
    events: Submission,
    deadLetters: Submission,
    allowance: ServiceAllowance | undefined,
    limits: UnitLimits,
    numbered: NumberedEvents | undefined,
  ) {
    this.#numbered = numbered;
    this.#limits = limits;
    this.#door = door;
    this.#allowance = allowance;
    this.#options = options;
    this.#events = events;
    this.#deadLetters = deadLetters;
    this.#traceHeaders = options.tracing.headers();
    this.#headers = this.#traceHeaders;
  }

  /** Who sends what comes from here on: dead letters keep it, and so do the headers of events where the settings say so. */
  from(sender: Sender | undefined): void {
    if (sender === this.#sender) return;
    this.#sender = sender;
    const { recordSenders } = this.#options;
    this.#senderHeaders = recordSenders === true && sender !== undefined ? senderHeaders(sender) : undefined;
    this.#headers = withSender(this.#traceHeaders, this.#senderHeaders);
  }

  /** Whether the log has refused some of it, or a quota all of it: the rest need not be read. */
  get failed(): boolean {
    return this.#events.failed || this.#allowance?.isExceeded === true;
  }

  /** Why the next event is not read, if so: to find fault with millions takes minutes. */
  get tooManyRejected(): Rejection | undefined {
    return this.#rejectedCount < this.#limits.maxRejected ? undefined : reject('too-many-rejected');
  }

  /** Whether what was collected since the last flush is worth an append. */
  get isFull(): boolean {
    return this.#sliceBytes >= Math.min(sliceBytes, this.#limits.windowBytes / 2);
  }

  /** Resolves when most of what was flushed is durable, or has failed. */
  async hasRoom(): Promise<void> {
    const bytes = this.#limits.windowBytes / 2;
    await Promise.all([this.#events.below(bytes), this.#deadLetters.below(bytes)]);
  }

  /** Why an event's service has no room for it now, if so; to be asked where a single event can be refused. */
  overQuota({ service }: LogEvent): IngestError | undefined {
    return this.#allowance?.refusal(service);
  }

  /**
   * The events of one request share a partition through their key: the correlation id, or the service where there is none. `carrier`
   * is the record that the event came in, if it has a trace of its own. False for a duplicate, which is left out.
   */
  accept(accepted: LogEvent, carrier?: Carrier): boolean {
    if (this.isDuplicate(accepted)) return false;
    this.#numbered?.accepted(accepted.source);
    const { partitions, serde, tracing, redactor } = this.#options;
    const event = redactor === undefined ? accepted : redactor.event(accepted);
    const key = event.correlationId ?? event.service;
    const partition = partitionOf(key, partitions);
    const value = serde.encode('LogEvent', event);
    const headers =
      carrier === undefined ? this.#headers : withSender(tracing.headersFor(carrier), this.#senderHeaders);
    this.#records.push(
      headers === undefined ? { partition, key, value } : { partition, key, value, headers },
    );
    this.#sliceBytes += value.length;
    this.#allowance?.count(event.service, value.length);
    this.#accepted++;
    return true;
  }

  /** Whether a numbered event is durable since an earlier request; it is counted then. */
  isDuplicate({ source }: LogEvent): boolean {
    if (this.#numbered?.isDurable(source) !== true) return false;
    this.#duplicates++;
    return true;
  }

  /** Whether a refused event may have a dead letter of its own with a payload of so many bytes; else it goes to refuseJointly(). */
  hasLetterFor(bytes: number): boolean {
    const { letterBytes } = this.#limits;
    // Each by itself: events of a usual size are all to have letters of their own, and thousands of tiny ones are not.
    return this.#letterBytes + bytes <= letterBytes && (this.#letters + 1) * letterOverhead <= letterBytes;
  }

  /** Puts a refused event into a letter that many share: `part` is its bytes as they stand in it, `write` makes its payload. */
  refuseJointly(
    { code }: Rejection,
    source: Source,
    receivedAt: number,
    part: Buffer,
    write: (parts: Buffer) => Buffer,
  ): void {
    const isOther = this.#joint !== undefined && this.#joint.write !== write;
    const isFull = (this.#joint?.length ?? 0) + part.length > this.#limits.maxLetterBytes;
    if (isOther || isFull) this.#closeJoint();
    this.#joint ??= new JointLetter(source, receivedAt, write);
    this.#joint.add(code, part);
    this.#countRejected(code);
  }

  #closeJoint(): void {
    if (this.#joint === undefined) return;
    const { reason, source, receivedAt, payload } = this.#joint;
    this.#joint = undefined;
    this.#letter(reason, source, receivedAt, payload);
  }

  /** `bytes` are the original ones. */
  refuse(rejection: Rejection, source: Source, receivedAt: number, bytes: Buffer): void {
    this.#letter(rejection, source, receivedAt, bytes);
    this.#countRejected(rejection.code);
  }

  #letter({ code, message: reason }: Rejection, source: Source, receivedAt: number, bytes: Buffer): void {
    const { redactor } = this.#options;
    const message = redactor === undefined ? reason : redactor.reason(reason);
    const payload = redactor === undefined ? bytes : redactor.payload(bytes);
    this.#deadRecords.push({
      partition: partitionOf(source.topic, this.#options.deadLetterPartitions),
      key: source.topic,
      value: this.#options.serde.encode('DeadLetter', {
        code,
        message,
        source,
        receivedAt,
        payload,
        key: this.#sender?.key ?? null,
        address: this.#sender?.address ?? null,
      }),
    });
    this.#letterBytes += payload.length;
    this.#letters++;
    this.#sliceBytes += payload.length + letterOverhead;
  }

  #countRejected(code: string): void {
    this.#rejectedCount++;
    this.#rejected.set(code, (this.#rejected.get(code) ?? 0) + 1);
  }

  /** Queues what was collected since the last flush; where services have quotas, at done(). */
  flush(): void {
    if (this.#allowance === undefined) this.#add(this.#records, this.#deadRecords);
    else {
      this.#limits.hold(bytesOf(this.#records) + bytesOf(this.#deadRecords));
      this.#held.push([this.#records, this.#deadRecords]);
    }
    this.#sliceBytes = 0;
    this.#records = [];
    this.#deadRecords = [];
  }

  #add(records: NewRecord[], deadRecords: NewRecord[]): void {
    this.#events.add(records);
    this.#deadLetters.add(deadRecords);
  }

  /**
   * Resolves when everything is durable. Throws IngestError `quota-exceeded` when nothing was taken, `log-unavailable`, or the log's own
   * error when a retry is no use.
   */
  async done(): Promise<void> {
    if (this.#joint !== undefined) {
      this.#closeJoint();
      this.flush();
    }
    this.#allowance?.settle();
    for (const [records, deadRecords] of this.#held) this.#add(records, deadRecords);
    this.#held = [];
    const [events, deadLetters] = await Promise.allSettled([this.#events.done(), this.#deadLetters.done()]);
    for (const result of [events, deadLetters])
      if (result.status === 'rejected') this.#options.onFailure?.(result.reason);
    if (events.status === 'rejected') throw asIngestError(events.reason);
    if (deadLetters.status === 'rejected') this.#onDeadLetterFailure(deadLetters.reason);
    const { metrics } = this.#options;
    metrics.accepted.inc({ door: this.#door }, this.#accepted);
    if (this.#duplicates > 0) metrics.duplicates.inc({ door: this.#door }, this.#duplicates);
    for (const [code, count] of this.#rejected) metrics.rejected.inc({ door: this.#door, code }, count);
  }

  /** A dead letter that the log will never take (too large for it) must not hold up the events that were good. */
  #onDeadLetterFailure(reason: unknown): void {
    const error = asIngestError(reason);
    if (error instanceof IngestError) throw error;
    this.#options.logger.error({ err: error, door: this.#door }, 'dead letters were lost');
  }
}

function withSender(
  headers: TraceHeaders | undefined,
  sender: TraceHeaders | undefined,
): TraceHeaders | undefined {
  return headers === undefined || sender === undefined ? (headers ?? sender) : { ...headers, ...sender };
}

function asIngestError(reason: unknown): Error {
  if (reason instanceof EventLogError && reason.retriable) {
    const isStorage = reason.code === 'disk-full' || reason.code === 'read-only';
    return isStorage
      ? new IngestError(reason.code, reason.message, { cause: reason })
      : new IngestError('log-unavailable', undefined, { cause: reason });
  }
  return reason as Error;
}
