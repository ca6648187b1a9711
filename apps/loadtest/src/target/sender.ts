import type { KafkaOptions } from '@logloom/event-log';
import type { ReceiverKind } from './receiver.ts';
import type { TargetKind } from './target.ts';

/** Where the events of a run go in. */
export interface SenderTarget {
  kind: TargetKind;
  /**
   * Logloom: the ingest port's base URL; of the receiver syslog `syslog://HOST:PORT`, of kafka nothing. Others: what takes events by `POST`,
   * `ws:` by messages, or `stdin:` and a command.
   */
  url: string;
  /** Of Logloom; default: json. */
  receiver?: ReceiverKind | undefined;
  /** For the receiver kafka. */
  kafka?: KafkaOptions | undefined;
  key?: string | undefined;
  /** Centrifugo's. */
  channel?: string | undefined;
  /** The run's name, where the target hides its events from users. */
  hiddenAs?: string | undefined;
}

/**
 * What became of a batch: `stored`, `refused` (for good), `unknown` (nobody told), or `written`: the protocol tells nothing. Positions in the
 * batch, from 1, that were rejected.
 */
export type BatchFate =
  | { fate: 'stored' | 'refused' | 'unknown'; rejected: readonly number[] }
  /** `isRead` resolves when the connection has ended: whether the other end has read all of it. */
  | { fate: 'written'; rejected: readonly number[]; isRead: Promise<boolean> };

/** `failure` says why a request did not store its events: status and error code, or what became of the connection; undefined: it did. */
export type OnAnswer = (status: string, isRetried: boolean, failure: string | undefined) => void;

/** Sends a run's events, one batch after the other. */
export interface Sender {
  /** Each line is an event in JSON. Gives up when the signal aborts. */
  send(lines: readonly string[], signal: AbortSignal): Promise<BatchFate>;
  /** Nothing more is sent. */
  end?(): void;
}

const firstRetryMs = 100;
const longestRetryMs = 5_000;

/** How long to wait before the next attempt: longer each time, half of it random. */
export function retryMs(attempt: number): number {
  return Math.min(longestRetryMs, firstRetryMs * 2 ** attempt) * (0.5 + Math.random() / 2);
}

/** Why there was no answer; few values, as they are counted. */
export function reasonOf(error: unknown): string {
  const { cause, code = (cause as { code?: unknown } | undefined)?.code } = error as {
    cause?: unknown;
    code?: unknown;
  };
  return typeof code === 'string' ? code : 'no answer';
}
