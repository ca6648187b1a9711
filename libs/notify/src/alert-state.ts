/** An alert as it is after a change: what receivers are told about. Plain data that JSON can hold. */
export interface AlertState {
  /** 16 hexadecimal digits of the rule's name and the key; the same alert always has the same. */
  fingerprint: string;
  /** Grows with each change of this alert. A state with the same or a lower revision than the one known before is ignored. */
  revision: number;
  rule: string;
  state: 'pending' | 'firing' | 'resolved';
  severity: string | null;
  /** The rule's own labels, those of the key, `alertname` and `severity`. Routes match and group by them. */
  labels: Readonly<Record<string, string>>;
  /** What happened, in a sentence. */
  message: string;
  /** What the rule measured; null where it measures nothing. */
  value: number | null;
  /** The rule's condition, such as `count >= 100 in 5m`; empty where it has none. */
  condition: string;
  /** When it began to fire, in ms since 1970. */
  startsAt: number;
  /** When it was resolved, in ms since 1970; null while it fires. */
  endsAt: number | null;
  /** Ids of requests or events that show it, at most five. */
  examples: readonly string[];
  /** Ids of the silences that hold it back; empty: none. It is notified when they end and it still fires. */
  silencedBy: readonly string[];
  /** Who has acknowledged it; null: nobody. It is not repeated. */
  ackedBy: string | null;
}
