import { setTimeout as sleep } from 'node:timers/promises';
import type { Sender, Source } from '@logloom/schemas';
import type { Telemetry } from '@logloom/telemetry';
import { IngestError, reject } from '../errors.ts';
import type { Intake } from '../pipeline/pipeline.ts';
import { readSyslog } from './read-syslog.ts';
import type { SyslogFrame } from './syslog-framing.ts';
import { spans } from '../telemetry.ts';

const retryMs = 500;

/** A message, and who sent it. */
export interface ReceivedFrame extends SyslogFrame {
  peer: string | undefined;
}

export interface LaneOptions {
  intake: Intake;
  /** The door's name in metrics. */
  door: 'syslog-tcp' | 'syslog-udp';
  /** Names this start of the service among the sources. */
  producer: string;
  number: number;
  logger: Telemetry['logger'];
  /** Aborts when what was received is written whatever the quotas say. */
  draining: AbortSignal;
  /** Aborts when what the log does not take has to be given up. */
  giveUp: AbortSignal;
  /** Unset: a service over its quota holds the sender up. */
  onOverQuota?: () => void;
  /** Told how long a sender was held up by the quota of a service. */
  onHeld: (ms: number) => void;
}

/**
 * Writes what one connection after another, or the UDP socket, has received: in order, and numbered like a producer's events, so that
 * an append that is repeated leaves no copy.
 */
export class SyslogLane {
  readonly #options: LaneOptions;
  #next = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /**
   * Resolves when all is durable, however long the log is out of reach or a service over its quota; rejects when it never will be, or
   * at `giveUp`.
   */
  async write(frames: readonly ReceivedFrame[]): Promise<void> {
    const { logger, giveUp, door, intake } = this.#options;
    const receivedAt = Date.now();
    const first = this.#next;
    this.#next += frames.length;
    for (let isLogged = false; ;) {
      try {
        await intake.tracing.receive(spans.receiveSyslog, undefined, () =>
          this.#append(frames, first, receivedAt),
        );
        return;
      } catch (error) {
        if (!(error instanceof IngestError && error.retriable) || giveUp.aborted) throw error;
        if (error.code === 'quota-exceeded') {
          await this.#hold(error.retryAfterSeconds * 1000);
          continue;
        }
        if (!isLogged) logger.warn({ err: error, door }, 'the log is out of reach: syslog has to wait');
        isLogged = true;
      }
      await sleep(retryMs, undefined, { signal: giveUp }).catch(() => {});
    }
  }

  async #hold(ms: number): Promise<void> {
    const began = performance.now();
    await sleep(ms, undefined, { signal: this.#options.draining }).catch(() => {});
    this.#options.onHeld(performance.now() - began);
  }

  async #append(frames: readonly ReceivedFrame[], first: number, receivedAt: number): Promise<void> {
    const { intake, door, producer, number, draining, onOverQuota } = this.#options;
    const unit = intake.open(door, { hasQuotas: !draining.aborted });
    let sender: Sender | undefined;
    for (const [i, frame] of frames.entries()) {
      const source: Source = {
        kind: 'syslog',
        topic: producer,
        partition: number,
        offset: first + i,
        index: 0,
      };
      if (frame.peer !== sender?.address) sender = { address: frame.peer };
      unit.from(sender);
      if (frame.problem === undefined) {
        const event = readSyslog(frame.bytes, source, receivedAt, intake.normalizer, frame.peer);
        if (onOverQuota === undefined || unit.overQuota(event) === undefined) unit.accept(event);
        else onOverQuota();
      } else unit.refuse(reject(frame.problem, detailOf(frame)), source, receivedAt, frame.bytes);
    }
    unit.flush();
    await unit.done();
  }
}

function detailOf({ problem, bytes, declared }: SyslogFrame): string {
  if (problem === 'incomplete-message')
    return `the connection ended after ${bytes.length} bytes of a message`;
  const size = declared === undefined ? 'more than' : `of ${declared} bytes, of which there are`;
  return declared === undefined
    ? `a line is longer than ${bytes.length} bytes; the rest of it is not kept`
    : `a message ${size} ${bytes.length} kept is larger than INGEST_MAX_EVENT_BYTES`;
}
