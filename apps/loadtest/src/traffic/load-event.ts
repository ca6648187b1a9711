import type { Level } from '@logloom/schemas';

/** What an event of a run says. It follows from its number, so that every process knows what any viewer has to get. */
export interface LoadEvent {
  n: number;
  service: string;
  level: Level;
  /** Number of its request in the run; -1: it belongs to none. */
  request: number;
  message: string;
  host?: string;
  /** Beside the mark of the load test. */
  attributes?: Readonly<Record<string, unknown>>;
}
