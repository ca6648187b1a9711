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
 * Small JSON documents that jobs keep beside their queue: what people set up, and what a run found. By kind and id.
 *
 * Guarantees: what put(), putAll() and replace() were given is durable when they resolve, as far as the store is; the last writer wins.
 */
export interface JobRecords {
  put(kind: string, id: string, value: unknown): Promise<void>;
  /** Puts many of a kind at once, for the price of few. */
  putAll(kind: string, entries: readonly { id: string; value: unknown }[]): Promise<void>;
  /** As put(), but only where there is one: false when it was deleted meanwhile. */
  replace(kind: string, id: string, value: unknown): Promise<boolean>;
  get(kind: string, id: string): Promise<unknown>;
  /**
   * Those of a kind whose ids begin with `prefix`, about `limit` of them at a time, in no certain order; `next` is the cursor of the next
   * page. One that is put or deleted meanwhile may be among them or not; the others come once at least.
   */
  page(kind: string, prefix: string, limit: number, cursor?: string): Promise<RecordsPage>;
  /** How many records of a kind there are whose ids begin with `prefix`, and the bytes of their ids and JSON. */
  usage(kind: string, prefix: string): Promise<RecordsUsage>;
  /** All of a kind, by id; for kinds of which there are few. */
  list(kind: string): Promise<{ id: string; value: unknown }[]>;
  /** False when there is none. */
  delete(kind: string, id: string): Promise<boolean>;
  close(): Promise<void>;
}
