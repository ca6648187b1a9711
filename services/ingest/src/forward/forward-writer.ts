import type { Source } from '@logloom/schemas';
import { IngestError, reject, RejectedError, type Rejection } from '../errors.ts';
import { MemoryClaim, type MemoryBudget } from '../admission/memory-budget.ts';
import { orRejection } from '../http/accept-event-groups.ts';
import { unpack } from '../http/read-body.ts';
import { sentLimits } from '../pipeline/batch-limits.ts';
import { inSlices } from '../pipeline/in-slices.ts';
import type { IngestBatch } from '../pipeline/ingest-batch.ts';
import { jsonPayload } from '../pipeline/json-payload.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { StreamWriting } from '../stream/open-stream-server.ts';
import { untilDurable } from '../stream/until-durable.ts';
import { spans } from '../telemetry.ts';
import { forwardEvent } from './forward-event.ts';
import type { ForwardFrame } from './forward-framer.ts';
import { entriesOf, readEntry, readForwardMessage, type ForwardMessage } from './forward-message.ts';

/** Records that wait for the log. */
const windowBytes = 2 ** 22;

export interface ForwardWriterOptions extends StreamWriting {
  pipeline: Pipeline;
  memory: MemoryBudget;
  maxEventBytes: number;
  maxMessageBytes: number;
  /** Identifies this start of the service in the sources of events. */
  producer: string;
  /** The partition in the sources of events: each writer has its own. */
  number: number;
}

interface ReadMessage {
  frame: ForwardFrame;
  message: ForwardMessage | undefined;
  rejection: Rejection | undefined;
}

/** Writes the messages of one connection after another. */
export class ForwardWriter {
  readonly #options: ForwardWriterOptions;
  #next = 0;

  constructor(options: ForwardWriterOptions) {
    this.#options = options;
  }

  /**
   * Resolves to the chunks to acknowledge when everything in the messages is durable, however long that takes: events, and dead letters for
   * what cannot be one. Rejects when it never will be.
   */
  async write(frames: readonly ForwardFrame[], peer: string | undefined): Promise<string[]> {
    const { pipeline } = this.#options;
    const receivedAtMs = Date.now();
    const messages = frames.map(readFrame);
    const first = this.#next;
    await untilDurable(
      () =>
        pipeline.tracing.receive(spans.receiveForward, undefined, async () => {
          this.#next = first;
          await this.#append(messages, peer, receivedAtMs);
        }),
      { ...this.#options, receiver: 'forward' },
    );
    return messages.flatMap(({ message }) => (message?.chunk === undefined ? [] : [message.chunk]));
  }

  async #append(
    messages: readonly ReadMessage[],
    peer: string | undefined,
    receivedAtMs: number,
  ): Promise<void> {
    const { pipeline, draining, maxEventBytes, memory } = this.#options;
    using claim = new MemoryClaim(memory);
    const bytes = messages.reduce((sum, { frame }) => sum + frame.bytes.length, 0);
    const batch = pipeline.open('forward', {
      hasQuotas: !draining.aborted,
      sender: { address: peer },
      limits: sentLimits({ bytes, windowBytes, maxEventBytes }, claim),
    });
    for (const { frame, message, rejection } of messages) {
      if (rejection !== undefined) batch.refuse(rejection, this.#source(), receivedAtMs, frame.bytes);
      else if (message !== undefined) await this.#appendEntries(message, frame, batch, claim, receivedAtMs);
    }
    batch.flush();
    await batch.done();
  }

  async #appendEntries(
    message: ForwardMessage,
    frame: ForwardFrame,
    batch: IngestBatch,
    claim: MemoryClaim,
    receivedAtMs: number,
  ): Promise<void> {
    let content: ForwardMessage['content'];
    try {
      content = await this.#unpacked(message, claim);
    } catch (error) {
      if (!(error instanceof IngestError) || error.retriable) throw error;
      batch.refuse(reject(error.code, error.message), this.#source(), receivedAtMs, frame.bytes);
      return;
    }
    try {
      await inSlices(entriesOf(content), batch, (entry) =>
        this.#accept(entry, content.kind, message.tag, batch, receivedAtMs),
      );
    } catch (error) {
      if (!(error instanceof RejectedError)) throw error;
      batch.refuse(error.rejection, this.#source(), receivedAtMs, frame.bytes);
    }
  }

  async #unpacked(
    { content, compressed }: ForwardMessage,
    claim: MemoryClaim,
  ): Promise<ForwardMessage['content']> {
    if (compressed === '') return content;
    if (compressed !== 'gzip' && compressed !== 'zstd')
      throw new IngestError('unsupported-encoding', `the entries are packed as ${compressed.slice(0, 100)}`);
    return {
      ...content,
      bytes: await unpack(content.bytes, compressed, this.#options.maxMessageBytes, claim),
    };
  }

  #accept(
    entry: Buffer,
    kind: ForwardMessage['content']['kind'],
    tag: string,
    batch: IngestBatch,
    receivedAtMs: number,
  ): void {
    const { pipeline, maxEventBytes } = this.#options;
    const source = this.#source();
    const result =
      batch.tooManyRejected ??
      (entry.length > maxEventBytes
        ? reject('event-too-large')
        : orRejection(() =>
            forwardEvent(readEntry(entry, kind), tag, source, receivedAtMs, pipeline.normalizer),
          ));
    if (!('code' in result)) {
      batch.accept(result);
      return;
    }
    batch.refuseText(result, source, receivedAtMs, payloadOf(entry, kind, tag));
  }

  #source(): Source {
    const { producer, number } = this.#options;
    return { kind: 'forward', topic: producer, partition: number, offset: this.#next++, index: 0 };
  }
}

/** Returns the payload of an entry's dead letter, see jsonPayload(). */
function payloadOf(entry: Buffer, kind: ForwardMessage['content']['kind'], tag: string): Buffer {
  return jsonPayload(entry, () => {
    const { time, record } = readEntry(entry, kind);
    if (time !== undefined && !('timestamp' in record))
      record['timestamp'] = new Date(time / 1000).toISOString();
    if (!('tag' in record)) record['tag'] = tag;
    return record;
  });
}

function readFrame(frame: ForwardFrame): ReadMessage {
  const { problem } = frame;
  if (problem !== undefined)
    return { frame, message: undefined, rejection: reject(problem.code, problem.message) };
  try {
    return { frame, message: readForwardMessage(frame.bytes), rejection: undefined };
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error;
    return { frame, message: undefined, rejection: error.rejection };
  }
}
