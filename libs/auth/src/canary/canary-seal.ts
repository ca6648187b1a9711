import type { LogEvent } from '@logloom/schemas';
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { AccessRequest } from '../principal.ts';
import { tokenOf } from '../token-of.ts';

/** The service of the canary's events: only events of this service are checked for a seal. */
export const canaryService = 'logloom-canary';

/** An older event, or one from further ahead, is not the canary's: somebody sends a recorded one again. */
const validMs = 600_000;
const sealLength = 32;
const sealed =
  /^canary run=([0-9a-f]{1,32}) receiver=([a-z-]{1,32}) round=(\d{1,15}) index=(\d{1,3}) sent=(\d{1,15}) seal=([0-9a-f]{32})$/;

/** Which of the canary's events it is. */
export interface CanaryMark {
  /** Names one run of the canary; at most 32 hexadecimal digits. */
  run: string;
  /** The receiver that it was sent to; lower case and hyphens. */
  receiver: string;
  /** Counts the rounds of the run; a round sends some events to each receiver. */
  round: number;
  /** Its position among the events of its round and receiver. */
  index: number;
  /** When it was sent, ms since 1970; also its timestamp. */
  sentAtMs: number;
}

/** What else the seal covers: the content of the event as ingest reads it. */
export type SealedContent = Pick<LogEvent, 'level' | 'host' | 'attributes'>;

/**
 * Marks the canary's events, and proves that a request comes from the canary, by a secret that only the processes of a deployment know. The
 * seal covers everything that a sender can put into an event, so nobody can hide content behind a seal that was seen on a wire: repeated
 * as it was, it says nothing; changed, it is an event like any other.
 */
export class CanarySeal {
  /** Bearer token of the canary's own requests. */
  readonly token: string;
  readonly #tokenHash: Buffer;
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
    this.token = this.#mac('token');
    this.#tokenHash = hash(this.token);
  }

  /** The message of a canary event with this content. */
  message(mark: CanaryMark, content: SealedContent): string {
    const text = unsealedMessage(mark);
    return `${text} seal=${this.#sealOf(text, mark.sentAtMs * 1000, content)}`;
  }

  /**
   * The correlation id of the events of one round and receiver. It follows from the secret and never leaves the log, so no sender can put an
   * event into the canary's sessions.
   */
  correlationId({ run, receiver, round }: Pick<CanaryMark, 'run' | 'receiver' | 'round'>): string {
    return `canary-${this.#mac('correlation', run, receiver, round).slice(0, sealLength)}`;
  }

  /** The mark of an event that the canary has sealed and nobody has changed; undefined for every other event. */
  verify(event: LogEvent): CanaryMark | undefined {
    if (event.service !== canaryService || event.traceId !== null || event.spanId !== null) return undefined;
    if (event.correlationId !== null && event.correlationKind !== 'message') return undefined;
    const mark = parseCanaryMessage(event.message);
    if (mark === undefined || Math.abs(event.receivedAt - mark.sentAtMs) > validMs) return undefined;
    const text = unsealedMessage(mark);
    // A number that is written otherwise, such as 07, reads as the same.
    if (!event.message.startsWith(`${text} seal=`)) return undefined;
    const expected = this.#sealOf(text, event.timestamp, event);
    const given = event.message.slice(-sealLength);
    return timingSafeEqual(Buffer.from(expected), Buffer.from(given)) ? mark : undefined;
  }

  /** Whether the request has the canary's token. */
  isFromCanary(request: AccessRequest): boolean {
    const token = tokenOf(request);
    return token !== undefined && timingSafeEqual(hash(token), this.#tokenHash);
  }

  #sealOf(text: string, timestampMicros: number, { level, host, attributes }: SealedContent): string {
    return this.#mac('event', text, timestampMicros, level, host, attributes).slice(0, sealLength);
  }

  #mac(...parts: readonly (string | number | null)[]): string {
    return createHmac('sha256', this.#secret).update(JSON.stringify(parts)).digest('hex');
  }
}

/** Reads the message of a canary event; its seal is not checked. Undefined for any other text. */
export function parseCanaryMessage(message: string): CanaryMark | undefined {
  const found = sealed.exec(message);
  if (found === null) return undefined;
  const [, run = '', receiver = '', round, index, sentAtMs] = found;
  return { run, receiver, round: Number(round), index: Number(index), sentAtMs: Number(sentAtMs) };
}

function unsealedMessage({ run, receiver, round, index, sentAtMs }: CanaryMark): string {
  return `canary run=${run} receiver=${receiver} round=${round} index=${index} sent=${sentAtMs}`;
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
