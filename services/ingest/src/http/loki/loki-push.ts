/** Labels, or structured metadata: names with their values. */
export type Labels = Record<string, string>;

/** One line of a stream. */
export interface LokiEntry {
  /** Since 1970. */
  timeNanos: bigint;
  line: string;
  metadata: Labels;
}

/** A stream of a push request; its entries are still encoded. */
export interface LokiStream<Encoded> {
  labels: Labels;
  entries: Encoded[];
  /** See EventGroup. */
  part: (entry: Encoded) => Buffer;
  deadLetter: (parts: Buffer) => Buffer;
}
