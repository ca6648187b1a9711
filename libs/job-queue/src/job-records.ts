export interface RecordsPage {
  entries: { id: string; value: unknown }[];
  /** Absent on the last page. */
  next?: string;
}

export interface RecordsUsage {
  count: number;
  bytes: number;
}

/**
 * Small JSON documents that are stored beside the job queue: what users have set up, and the results of runs. By kind and id.
 *
 * Guarantees: the input of put(), putAll() and replace() is as durable as the store when they resolve; the last writer wins.
 */
export interface JobRecords {
  put(kind: string, id: string, value: unknown): Promise<void>;
  /** Puts many of a kind at once, which costs less than single calls. */
  putAll(kind: string, entries: readonly { id: string; value: unknown }[]): Promise<void>;
  /** Like put(), but only if the record exists; returns false if it was deleted meanwhile. */
  replace(kind: string, id: string, value: unknown): Promise<boolean>;
  get(kind: string, id: string): Promise<unknown>;
  /**
   * The records of a kind whose ids begin with `prefix`, about `limit` at a time, in no particular order; `next` is the cursor of the next
   * page. Records that are put or deleted meanwhile may be included or not; all others are returned at least once.
   */
  page(kind: string, prefix: string, limit: number, cursor?: string): Promise<RecordsPage>;
  /** How many records of a kind there are whose ids begin with `prefix`, and the bytes of their ids and JSON. */
  usage(kind: string, prefix: string): Promise<RecordsUsage>;
  /** All records of a kind, by id; for kinds with few records. */
  list(kind: string): Promise<{ id: string; value: unknown }[]>;
  /** False when there is none. */
  delete(kind: string, id: string): Promise<boolean>;
  /** Deletes many of a kind at once; ids that there are not are left out. */
  deleteAll(kind: string, ids: readonly string[]): Promise<void>;
  /** Why the engine refuses what it was asked last, with the setting to look at; undefined: it does not. */
  problem?(): string | undefined;
  close(): Promise<void>;
}
