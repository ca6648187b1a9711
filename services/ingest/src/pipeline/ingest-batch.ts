import { EventLogError, partitionOf, type NewRecord } from '@logloom/event-log';
import {
  backfillHeader,
  loadtestKind,
  senderHeaders,
  type LogEvent,
  type Sender,
  type Source,
} from '@logloom/schemas';
import type { Carrier, TraceHeaders } from '@logloom/telemetry';
import { bytesOf, type Submission } from '../append/append-events.ts';
import { IngestError, reject, type Rejection } from '../errors.ts';
import { countNotes, type NoteReason } from '../event/parse-notes.ts';
import type { NumberedEvents } from '../producers/numbered-events.ts';
import type { ServiceAllowance } from '../quotas/service-allowance.ts';
import type { BatchLimits } from './batch-limits.ts';
import type { DeadLetters } from './dead-letters.ts';
import { textPart } from './joint-dead-letter.ts';
import { markCanary } from './mark-canary.ts';
import type { PipelineOptions } from './pipeline-options.ts';

const sliceBytes = 2 ** 20;

export interface IngestBatchOptions {
  /** The receiver's name in metrics. */
  receiver: string;
  pipeline: PipelineOptions;
  /** Takes the records for logs.events. */
  events: Submission;
  /** Takes their links, for logs.events too. */
  linkRecords: Submission;
  /** Takes the records for logs.dead-letter. */
  deadLetterRecords: Submission;
  deadLetters: DeadLetters;
  /** Unset: the batch counts against no quota. */
  allowance: ServiceAllowance | undefined;
  limits: BatchLimits;
  /** Unset: the sender does not number its events. */
  numbered: NumberedEvents | undefined;
}

/** The events of one request, or of some records. Collects the records of a slice and hands them to the appenders at flush(). */
export class IngestBatch {
  readonly #receiver: string;
  readonly #pipeline: PipelineOptions;
  readonly #events: Submission;
  readonly #linkRecords: Submission;
  readonly #deadLetterRecords: Submission;
  readonly #deadLetters: DeadLetters;
  readonly #limits: BatchLimits;
  readonly #allowance: ServiceAllowance | undefined;
  readonly #numbered: NumberedEvents | undefined;
  #sender: Sender | undefined;
  readonly #traceHeaders: TraceHeaders | undefined;
  #senderHeaders: Record<string, string> | undefined;
  /** The headers of the sender and of the active span. */
  #headers: TraceHeaders | undefined;
  #records: NewRecord[] = [];
  #links: NewRecord[] = [];
  /** The links of the whole batch. */
  readonly #linked = new Set<string>();
  /** Bytes of #records. */
  #waitingBytes = 0;
  /** Records that wait until the services of the whole batch are known. */
  #held: [links: NewRecord[], events: NewRecord[], deadLetters: NewRecord[]][] = [];
  #accepted = 0;
  #duplicates = 0;
  #rejected = new Map<string, number>();
  #rejectedCount = 0;

  constructor(options: IngestBatchOptions) {
    this.#receiver = options.receiver;
    this.#pipeline = options.pipeline;
    this.#events = options.events;
    this.#linkRecords = options.linkRecords;
    this.#deadLetterRecords = options.deadLetterRecords;
    this.#deadLetters = options.deadLetters;
    this.#limits = options.limits;
    this.#allowance = options.allowance;
    this.#numbered = options.numbered;
    this.#traceHeaders = options.pipeline.tracing.headers();
    this.#headers = this.#traceHeaders;
  }

  /** Sets the sender of what follows: dead letters name it, and so do the headers of events where the settings say so. */
  from(sender: Sender | undefined): void {
    if (sender === this.#sender) return;
    this.#sender = this.#deadLetters.sender = sender;
    const { recordSenders } = this.#pipeline;
    const names = recordSenders === true && sender !== undefined ? senderHeaders(sender) : undefined;
    this.#senderHeaders = sender?.isBackfill === true ? { ...names, [backfillHeader]: 'true' } : names;
    this.#headers = withSender(this.#traceHeaders, this.#senderHeaders);
  }

  /** Whether the log has refused some of the batch, or a quota all of it: then the rest need not be read. */
  get failed(): boolean {
    return this.#events.failed || this.#allowance?.isExceeded === true;
  }

  /** The reason not to read the next event; undefined when it is to be read. Rejecting millions one by one would take minutes. */
  get tooManyRejected(): Rejection | undefined {
    return this.#rejectedCount < this.#limits.maxRejected ? undefined : reject('too-many-rejected');
  }

  /** Whether the records since the last flush are worth an append. */
  get isFull(): boolean {
    const bytes = this.#waitingBytes + this.#deadLetters.waitingBytes;
    return bytes >= Math.min(sliceBytes, this.#limits.windowBytes / 2);
  }

  /** Resolves when most of what was flushed is durable, or has failed. */
  async hasRoom(): Promise<void> {
    const bytes = this.#limits.windowBytes / 2;
    await Promise.all([this.#events.below(bytes), this.#deadLetterRecords.below(bytes)]);
  }

  /** The error of an event whose service is over its quota, for receivers that can refuse a single event. */
  overQuota(event: LogEvent): IngestError | undefined {
    if (this.#allowance === undefined) return undefined;
    const { canary } = this.#pipeline;
    // Whoever sends under its name must not use up what it needs.
    if (canary !== undefined && markCanary(event, canary) !== undefined) return undefined;
    return this.#allowance.refusal(event.service);
  }

  /**
   * Adds an event. Events of one request share a partition through their key: the correlation id, or the service where there is none.
   * `carrier` is the record that the event came in, if it has a trace of its own. Returns false for a duplicate, which is left out.
   */
  accept(accepted: LogEvent, carrier?: Carrier): boolean {
    if (this.isDuplicate(accepted)) return false;
    this.#numbered?.accepted(accepted.source);
    countNotes(accepted.attributes, this.#countNote);
    const { partitions, serde, tracing } = this.#pipeline;
    const { event, isCanary } = this.#stored(accepted);
    this.#link(event);
    const key = event.correlationId ?? event.service;
    const partition = partitionOf(key, partitions);
    const value = serde.encode('LogEvent', event);
    const headers =
      carrier === undefined ? this.#headers : withSender(tracing.headersFor(carrier), this.#senderHeaders);
    this.#records.push(
      headers === undefined ? { partition, key, value } : { partition, key, value, headers },
    );
    this.#waitingBytes += value.length;
    if (!isCanary) this.#allowance?.count(event.service, value.length);
    this.#accepted++;
    return true;
  }

  readonly #countNote = (reason: NoteReason): void =>
    this.#pipeline.metrics.parseNotes.inc({ receiver: this.#receiver, reason });

  /** The event as the log gets it. */
  #stored(accepted: LogEvent): { event: LogEvent; isCanary: boolean } {
    const { redactor, canary } = this.#pipeline;
    const marked = canary === undefined ? undefined : markCanary(accepted, canary);
    // What the canary sends has no secrets, and must come back as it was.
    const redacted = marked ?? (redactor === undefined ? accepted : redactor.event(accepted));
    const isLoadtest = this.#sender?.isLoadtest === true;
    return {
      event: isLoadtest ? { ...redacted, correlationKind: loadtestKind } : redacted,
      isCanary: marked !== undefined,
    };
  }

  #link(event: LogEvent): void {
    const { links } = this.#pipeline;
    if (links === undefined) return;
    const isBackfill = this.#sender?.isBackfill === true;
    for (const record of links.of(event, isBackfill, this.#linked, Date.now())) {
      this.#links.push(record);
      this.#waitingBytes += record.value.length;
    }
  }

  /** Whether a numbered event is durable since an earlier request; counts it as a duplicate then. */
  isDuplicate(event: LogEvent): boolean {
    if (this.#numbered?.isDurable(event.source) !== true) return false;
    // Its links may be what failed when it was stored.
    if (this.#pipeline.links !== undefined) this.#link(this.#stored(event).event);
    this.#duplicates++;
    return true;
  }

  /** Whether a refused event with a payload of this size may get its own dead letter; else it goes to refuseJointly(). */
  hasDeadLetterFor(payloadBytes: number): boolean {
    return this.#deadLetters.hasRoomFor(payloadBytes);
  }

  /** Refuses an event with a dead letter of its own. `bytes` are the bytes as they were received. */
  refuse(rejection: Rejection, source: Source, receivedAtMs: number, bytes: Buffer): void {
    this.#deadLetters.add(rejection, source, receivedAtMs, bytes);
    this.#countRejected(rejection.code);
  }

  /** Refuses an event with a dead letter that many share: see DeadLetters.addJointly(). */
  refuseJointly(
    rejection: Rejection,
    source: Source,
    receivedAtMs: number,
    part: Buffer,
    write: (parts: Buffer) => Buffer,
  ): void {
    this.#deadLetters.addJointly(rejection, source, receivedAtMs, part, write);
    this.#countRejected(rejection.code);
  }

  /** Refuses an event whose bytes are a text: with a dead letter of its own, or with one that many share where there is no room for it. */
  refuseText(rejection: Rejection, source: Source, receivedAtMs: number, bytes: Buffer): void {
    if (this.hasDeadLetterFor(bytes.length)) this.refuse(rejection, source, receivedAtMs, bytes);
    else this.refuseJointly(rejection, source, receivedAtMs, textPart(bytes), unchanged);
  }

  #countRejected(code: string): void {
    this.#rejectedCount++;
    this.#rejected.set(code, (this.#rejected.get(code) ?? 0) + 1);
  }

  /** Queues the records since the last flush; where services have quotas, done() does it. */
  flush(): void {
    const deadLetters = this.#deadLetters.take();
    if (this.#allowance === undefined) this.#add(this.#links, this.#records, deadLetters);
    else {
      this.#limits.hold(bytesOf(this.#links) + bytesOf(this.#records) + bytesOf(deadLetters));
      this.#held.push([this.#links, this.#records, deadLetters]);
    }
    this.#waitingBytes = 0;
    this.#links = [];
    this.#records = [];
  }

  /** Links go first, so that an event is not known without them. */
  #add(links: NewRecord[], events: NewRecord[], deadLetters: NewRecord[]): void {
    this.#linkRecords.add(links);
    this.#events.add(events);
    this.#deadLetterRecords.add(deadLetters);
  }

  /**
   * Resolves when everything is durable. Throws IngestError `quota-exceeded` when nothing was taken, `log-unavailable`, or the log's own
   * error when a retry is no use.
   */
  async done(): Promise<void> {
    if (this.#deadLetters.closeJoint()) this.flush();
    this.#allowance?.settle();
    for (const held of this.#held) this.#add(...held);
    this.#held = [];
    const [links, events, deadLetters] = await Promise.allSettled([
      this.#linkRecords.done(),
      this.#events.done(),
      this.#deadLetterRecords.done(),
    ]);
    for (const result of [links, events, deadLetters])
      if (result.status === 'rejected') this.#pipeline.onFailure?.(result.reason);
    // The sender repeats the batch, and with it the links.
    if (links.status === 'rejected') throw asIngestError(links.reason);
    this.#pipeline.links?.stored(this.#linked, Date.now());
    if (events.status === 'rejected') throw asIngestError(events.reason);
    if (deadLetters.status === 'rejected') this.#onDeadLetterFailure(deadLetters.reason);
    const { metrics } = this.#pipeline;
    const receiver = this.#receiver;
    metrics.accepted.inc({ receiver }, this.#accepted);
    if (this.#sender?.isLoadtest === true)
      metrics.loadtest.inc({ key: this.#sender.key ?? '' }, this.#accepted);
    if (this.#duplicates > 0) metrics.duplicates.inc({ receiver }, this.#duplicates);
    for (const [code, count] of this.#rejected) metrics.rejected.inc({ receiver, code }, count);
  }

  /** A dead letter that the log will never take, because it is too large, must not hold up the good events. */
  #onDeadLetterFailure(reason: unknown): void {
    const error = asIngestError(reason);
    if (error instanceof IngestError) throw error;
    this.#pipeline.logger.error({ err: error, receiver: this.#receiver }, 'dead letters were lost');
  }
}

const unchanged = (parts: Buffer): Buffer => parts;

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
