import type { Sender, Source } from '@logloom/schemas';
import { reject } from '../errors.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { Turns } from '../pipeline/turns.ts';
import { readSyslog } from './read-syslog.ts';
import type { SyslogFrame } from './syslog-framing.ts';
import type { StreamWriting } from '../stream/open-stream-server.ts';
import { untilDurable } from '../stream/until-durable.ts';
import { spans } from '../telemetry.ts';

/** A message with the address of its sender. */
export interface ReceivedFrame extends SyslogFrame {
  peer: string | undefined;
}

export interface SyslogWriterOptions extends Omit<StreamWriting, 'onOverQuota'> {
  pipeline: Pipeline;
  /** The receiver's name in metrics. */
  receiver: 'syslog-tcp' | 'syslog-tls' | 'syslog-udp';
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
export class SyslogWriter {
  readonly #options: SyslogWriterOptions;
  #next = 0;

  constructor(options: SyslogWriterOptions) {
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
        pipeline.tracing.receive(spans.receiveSyslog, undefined, () =>
          this.#append(frames, first, receivedAtMs),
        ),
      this.#options,
    );
  }

  async #append(frames: readonly ReceivedFrame[], first: number, receivedAtMs: number): Promise<void> {
    const { pipeline, receiver, producer, number, draining, onOverQuota } = this.#options;
    const batch = pipeline.open(receiver, { hasQuotas: !draining.aborted });
    let sender: Sender | undefined;
    const turns = new Turns();
    for (const [i, frame] of frames.entries()) {
      if (turns.isOver) await turns.next();
      const source: Source = {
        kind: 'syslog',
        topic: producer,
        partition: number,
        offset: first + i,
        index: 0,
      };
      if (frame.peer !== sender?.address) sender = { address: frame.peer };
      batch.from(sender);
      if (frame.problem === undefined) {
        const event = readSyslog(frame.bytes, source, receivedAtMs, pipeline.normalizer, frame.peer);
        if (onOverQuota === undefined || batch.overQuota(event) === undefined) batch.accept(event);
        else onOverQuota();
      } else batch.refuse(reject(frame.problem, detailOf(frame)), source, receivedAtMs, frame.bytes);
    }
    batch.flush();
    await batch.done();
  }
}

function detailOf({ problem, bytes, declared }: SyslogFrame): string {
  if (problem === 'incomplete-message')
    return `the connection ended after ${bytes.length} bytes of a message`;
  return declared === undefined
    ? `a line is longer than ${bytes.length} bytes; the rest of it is not kept`
    : `the message has ${declared} bytes, more than INGEST_MAX_EVENT_BYTES; the first ${bytes.length} are kept`;
}
