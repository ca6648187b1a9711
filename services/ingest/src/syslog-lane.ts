import { setTimeout as sleep } from 'node:timers/promises';
import type { Source } from '@logloom/schemas';
import type { Telemetry } from '@logloom/telemetry';
import { IngestError, reject } from './errors.ts';
import type { Intake } from './intake.ts';
import { readSyslog } from './read-syslog.ts';
import type { SyslogFrame } from './syslog-framing.ts';
import { spans } from './telemetry.ts';

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
  /** Aborts when what the log does not take has to be given up. */
  giveUp: AbortSignal;
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

  /** Resolves when all is durable, however long the log is out of reach; rejects when it never will be, or at `giveUp`. */
  async write(frames: readonly ReceivedFrame[]): Promise<void> {
    const { logger, giveUp, door, intake } = this.#options;
    const receivedAt = Date.now();
    const first = this.#next;
    this.#next += frames.length;
    for (let attempt = 0; ; attempt++) {
      try {
        await intake.tracing.receive(spans.receiveSyslog, undefined, () =>
          this.#append(frames, first, receivedAt),
        );
        return;
      } catch (error) {
        if (!(error instanceof IngestError && error.retriable) || giveUp.aborted) throw error;
        if (attempt === 0) logger.warn({ err: error, door }, 'the log is out of reach: syslog has to wait');
      }
      await sleep(retryMs, undefined, { signal: giveUp }).catch(() => {});
    }
  }

  async #append(frames: readonly ReceivedFrame[], first: number, receivedAt: number): Promise<void> {
    const { intake, door, producer, number } = this.#options;
    const unit = intake.open(door);
    for (const [i, frame] of frames.entries()) {
      const source: Source = {
        kind: 'syslog',
        topic: producer,
        partition: number,
        offset: first + i,
        index: 0,
      };
      if (frame.problem === undefined)
        unit.accept(readSyslog(frame.bytes, source, receivedAt, intake.normalizer, frame.peer));
      else unit.refuse(reject(frame.problem, detailOf(frame)), source, receivedAt, frame.bytes);
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
