/** The receivers of a Logloom that a run's events can go in by. */
export const receiverKinds = ['json', 'elasticsearch', 'loki', 'otlp', 'syslog', 'kafka'] as const;
export type ReceiverKind = (typeof receiverKinds)[number];

/** What a receiver's protocol can do. */
export interface ReceiverAbilities {
  /** It says of each event whether it is stored. */
  acknowledges: boolean;
  /** Its events can be marked as those of a load test, so that users do not see them. */
  marks: boolean;
}

const overHttp: ReceiverAbilities = { acknowledges: true, marks: true };

export const abilitiesOfReceiver: Readonly<Record<ReceiverKind, ReceiverAbilities>> = {
  json: overHttp,
  elasticsearch: overHttp,
  loki: overHttp,
  otlp: overHttp,
  syslog: { acknowledges: false, marks: false },
  kafka: { acknowledges: true, marks: false },
};

export const defaultReceivers: readonly ReceiverKind[] = ['json'];
