/**
 * The columns of the files, the same in every release that can read them: new ones are only added at the end. Parquet and DuckDB know the
 * types by these names.
 */
export const eventColumns = {
  timestamp: 'TIMESTAMP',
  level: 'VARCHAR',
  service: 'VARCHAR',
  host: 'VARCHAR',
  message: 'VARCHAR',
  /** The words of the message as the filters' tokenizer reads them, with a space before and after each. */
  words: 'VARCHAR',
  correlation_id: 'VARCHAR',
  correlation_kind: 'VARCHAR',
  trace_id: 'VARCHAR',
  span_id: 'VARCHAR',
  /** JSON. */
  attributes: 'VARCHAR',
  received_at: 'TIMESTAMP',
  /** The epoch of logs.events in the event's id; null where the id has none, as in earlier releases. */
  epoch: 'VARCHAR',
  partition: 'INTEGER',
  offset: 'BIGINT',
  /** The id where it is not `epoch-partition-offset`; else null. */
  other_id: 'VARCHAR',
} as const;

/** Columns of correlation documents. */
export const requestColumns = {
  id: 'VARCHAR',
  revision: 'INTEGER',
  correlation_id: 'VARCHAR',
  kind: 'VARCHAR',
  close_reason: 'VARCHAR',
  first_at: 'TIMESTAMP',
  last_at: 'TIMESTAMP',
  duration_ms: 'DOUBLE',
  event_count: 'INTEGER',
  error_count: 'INTEGER',
  /** Bit n: it has members of the level of rank n. */
  level_mask: 'INTEGER',
  severity: 'VARCHAR',
  partition: 'INTEGER',
  first_offset: 'BIGINT',
  /** A list, as JSON; so are `rules` and `ids`. */
  services: 'VARCHAR',
  rules: 'VARCHAR',
  ids: 'VARCHAR',
  /** An object, as JSON. */
  labels: 'VARCHAR',
  /** Null where it has none. */
  shape: 'VARCHAR',
  close_offset: 'BIGINT',
  /** The whole document, as JSON. */
  document: 'VARCHAR',
} as const;

/** The columns of each kind of slice. */
export const sliceColumns = { events: eventColumns, requests: requestColumns } as const;

/** The column whose time retention compares. */
export const retentionColumn = { events: 'timestamp', requests: 'last_at' } as const;

/** SQL: the event's id. */
export const eventId = `coalesce(other_id, epoch || '-' || partition || '-' || "offset")`;

/** `name, …`, for SELECT; `prefix` such as `old.`. */
export function columnNames(columns: Readonly<Record<string, string>>, prefix = ''): string {
  return Object.keys(columns)
    .map((name) => `${prefix}"${name}"`)
    .join(', ');
}

/** `name TYPE, …`, for CREATE TABLE. */
export function columnDefinitions(columns: Readonly<Record<string, string>>): string {
  return Object.entries(columns)
    .map(([name, type]) => `"${name}" ${type}`)
    .join(', ');
}
