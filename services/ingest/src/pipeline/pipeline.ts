import { placeId, topics, type Sender } from '@logloom/schemas';
import type { Tracing } from '@logloom/telemetry';
import { Appender, type OnStored } from '../append/append-events.ts';
import type { Normalizer } from '../event/normalize.ts';
import { NumberedEvents } from '../producers/numbered-events.ts';
import type { Producer } from '../producers/producer.ts';
import { ServiceAllowance } from '../quotas/service-allowance.ts';
import { spans } from '../telemetry.ts';
import type { TimeZone } from '../text/time/time-zone.ts';
import { ampleLimits, type BatchLimits } from './batch-limits.ts';
import { DeadLetters } from './dead-letters.ts';
import { IngestBatch } from './ingest-batch.ts';
import type { PipelineOptions } from './pipeline-options.ts';

export interface BatchOptions {
  /** Whether the batch counts against the quotas of its services; default true. */
  hasQuotas?: boolean;
  limits?: BatchLimits;
  /** Numbers the events; default: the caller makes sure that no event comes twice. */
  producer?: Producer;
  /** Called with the ids of the accepted events, in order, once they are durable. */
  onId?: (id: string) => void;
  /** See IngestBatch.from(). */
  sender?: Sender;
}

/** What every receiver hands its events to: accepted events go to logs.events, refused ones to logs.dead-letter. */
export class Pipeline {
  readonly normalizer: Normalizer;
  readonly tracing: Tracing;
  readonly #options: PipelineOptions;
  readonly #events: Appender;
  readonly #deadLetters: Appender;

  /** `shared` has the appenders to use. */
  constructor(options: PipelineOptions, shared?: Pipeline) {
    this.#options = options;
    this.normalizer = options.normalizer;
    this.tracing = options.tracing;
    if (shared !== undefined) {
      this.#events = shared.#events;
      this.#deadLetters = shared.#deadLetters;
      return;
    }
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

  /** The same pipeline for events whose times are in this zone where they name none. */
  inZone(zone: TimeZone): Pipeline {
    const normalizer = this.normalizer.inZone(zone);
    return normalizer === this.normalizer ? this : new Pipeline({ ...this.#options, normalizer }, this);
  }

  /** Events and dead letters that wait for the append before theirs. */
  get queuedRecords(): number {
    return this.#events.queuedRecords + this.#deadLetters.queuedRecords;
  }

  /** Begins the batch of one request or of some records. `receiver` is the receiver's name in metrics. */
  open(
    receiver: string,
    { hasQuotas = true, limits = ampleLimits, producer, sender, onId }: BatchOptions = {},
  ): IngestBatch {
    const { services, epoch } = this.#options;
    const numbered = producer?.isNumbered === true ? new NumberedEvents(producer) : undefined;
    const onStored: OnStored | undefined =
      onId === undefined && numbered === undefined
        ? undefined
        : (records, offsets, at) => {
            if (onId !== undefined)
              records.forEach(({ partition }, i) => onId(placeId(epoch, partition, offsets[at + i]!)));
            numbered?.stored(records.length);
          };
    const batch = new IngestBatch({
      receiver,
      pipeline: this.#options,
      events: this.#events.open(onStored),
      linkRecords: this.#events.open(),
      deadLetterRecords: this.#deadLetters.open(),
      deadLetters: new DeadLetters(this.#options, limits),
      allowance: hasQuotas && services !== undefined ? new ServiceAllowance(services, receiver) : undefined,
      limits,
      numbered,
    });
    batch.from(sender);
    return batch;
  }
}
