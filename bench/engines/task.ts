/** What a contender gets: its settings, and which part of the log it is about. */
export interface Task {
  role: 'ingest' | 'bare producer' | 'correlator' | 'bare consumer' | 'indexer' | 'bare indexer';
  env: Record<string, string>;
  /** Events in all. */
  events: number;
  /** Per partition, the first offset of logs.events that counts. */
  from: number[];
}

/** What a contender sends: an address when it is ready, the costs when it is done. */
export type Report = { address: string } | { wallMs: number; cpuMs: number };
