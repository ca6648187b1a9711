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
  /** All of a kind, by id. */
  list(kind: string): Promise<{ id: string; value: unknown }[]>;
  /** False when there is none. */
  delete(kind: string, id: string): Promise<boolean>;
  close(): Promise<void>;
}
