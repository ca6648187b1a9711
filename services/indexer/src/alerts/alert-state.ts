import type { Alert } from '@logloom/schemas';
import type { Labels } from './matcher.ts';

export type AlertStateName = 'pending' | 'firing' | 'resolved';

/** Who takes care of an alert. */
export interface AcknowledgedBy {
  author: string;
  note: string;
  /** Milliseconds since 1970. */
  at: number;
}

/** An alert as it is. Times are the log's, in ms since 1970. */
export interface AlertState {
  fingerprint: string;
  rule: string;
  rulesVersion: string;
  state: AlertStateName;
  scope: string;
  severity: string | null;
  /** The rule's own labels, those of the key, `alertname` and `severity`. */
  labels: Labels;
  message: string;
  condition: string;
  value: number | null;
  startsAt: number;
  /** Null unless it is resolved. */
  endsAt: number | null;
  /** When the rule matched last. */
  lastAt: number;
  /** How often it was raised since it started. */
  occurrences: number;
  /** Ids of requests or events that show why, the newest first, at most five. */
  examples: readonly string[];
  services: readonly string[];
  /** Ids of the silences that are in force. */
  silencedBy: readonly string[];
  acknowledged: AcknowledgedBy | null;
  /** Grows with each change of this alert. */
  revision: number;
}

/** The labels of an alert: its key's, its rule's, which go before them, and two that every alert has. */
export function labelsOf({ key, labels, rule, severity }: Alert): Labels {
  return { ...key, ...labels, alertname: rule, ...(severity === null ? {} : { severity }) };
}
