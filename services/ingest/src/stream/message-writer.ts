import type { LogEvent, Sender, Source } from '@logloom/schemas';
import { reject, type Rejection } from '../errors.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { Turns } from '../pipeline/turns.ts';
import type { SpanSpec } from '@logloom/telemetry';
import type { Normalizer } from '../event/normalize.ts';
import { untilDurable, type UntilDurableOptions } from './until-durable.ts';

/** A message without its framing. */
export interface StreamFrame {
  bytes: Buffer;
  /** Set when the message is not whole; `bytes` is then the part that was kept. */
  problem?: 'event-too-large' | 'incomplete-message';
  /** The length that the sender declared, where only a part was kept. */
  declared?: number;
}

/** A message with the address of its sender. */
export interface ReceivedFrame extends StreamFrame {
  peer: string | undefined;
}

export interface MessageWriterOptions extends UntilDurableOptions {
  pipeline: Pipeline;
  span: SpanSpec;
  /** The kind of the events' sources. */
  kind: string;
  /** Reads a message. */
  read: (
    bytes: Buffer,
    source: Source,
    receivedAtMs: number,
    normalizer: Normalizer,
    peer: string | undefined,
  ) => LogEvent | Rejection;
  /** Identifies this start of the service in the sources of events. */
  producer: string;
  /** The partition in the sources of events: each writer has its own. */
  number: number;
  /** Called for each message of a service over its quota, which is dropped; unset: the sender is held up. */
  onOverQuota?: () => void;
}

/**
 * Writes the messages of one connection after another, or of the UDP socket, in order and numbered like a producer's events, so that a
 * repeated append leaves no duplicate.
 */
export class MessageWriter {
  readonly #options: MessageWriterOptions;
  #next = 0;

  constructor(options: MessageWriterOptions) {
    this.#options = options;
  }

  /**
   * Resolves when all messages are durable, however long the log is unreachable or a service over its quota. Rejects when they never
   * will be, and at `giveUp`.
   */
  async write(frames: readonly ReceivedFrame[]): Promise<void> {
    const { pipeline } = this.#options;
    const receivedAtMs = Date.now();
    const first = this.#next;
    this.#next += frames.length;
    await untilDurable(
      () =>
        pipeline.tracing.receive(this.#options.span, undefined, () =>
          this.#append(frames, first, receivedAtMs),
        ),
      this.#options,
    );
  }

  async #append(frames: readonly ReceivedFrame[], first: number, receivedAtMs: number): Promise<void> {
    const { pipeline, receiver, producer, number, draining, onOverQuota, kind, read } = this.#options;
    const batch = pipeline.open(receiver, { hasQuotas: !draining.aborted });
    let sender: Sender | undefined;
    const turns = new Turns();
    for (const [i, frame] of frames.entries()) {
      if (turns.isOver) await turns.next();
      const source: Source = {
        kind,
        topic: producer,
        partition: number,
        offset: first + i,
        index: 0,
      };
      if (frame.peer !== sender?.address) sender = { address: frame.peer };
      batch.from(sender);
      if (frame.problem === undefined) {
        const event = read(frame.bytes, source, receivedAtMs, pipeline.normalizer, frame.peer);
        if ('code' in event) batch.refuse(event, source, receivedAtMs, frame.bytes);
        else if (onOverQuota === undefined || batch.overQuota(event) === undefined) batch.accept(event);
        else onOverQuota();
      } else batch.refuse(reject(frame.problem, detailOf(frame)), source, receivedAtMs, frame.bytes);
    }
    batch.flush();
    await batch.done();
  }
}

function detailOf({ problem, bytes, declared }: StreamFrame): string {
  if (problem === 'incomplete-message')
    return `the connection ended after ${bytes.length} bytes of a message`;
  return declared === undefined
    ? `a line is longer than ${bytes.length} bytes; the rest of it is not kept`
    : `the message has ${declared} bytes, more than INGEST_MAX_EVENT_BYTES; the first ${bytes.length} are kept`;
}
