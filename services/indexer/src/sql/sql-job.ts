/** What the process of a statement is told, as one line of JSON. */
export interface SqlJob {
  sql: string;
  /** SQL of the relations over files; undefined: there are none. */
  events: string | undefined;
  requests: string | undefined;
  /** The files that those read; the process may read nothing else. */
  files: string[];
  /** Parquet files of rows that are in no file of the store yet. */
  recentEvents: string;
  recentRequests: string;
  alerts: AlertRow[];
  /** A folder of its own, for what does not fit into memory. */
  temporaryFolder: string;
  memoryBytes: number;
  threads: number;
  maxRows: number;
  maxBytes: number;
}

/** An alert as a row of the table `alerts`; times in RFC 3339. */
export interface AlertRow {
  fingerprint: string;
  rule: string;
  state: string;
  severity: string | null;
  labels: Record<string, string>;
  message: string;
  condition: string | null;
  value: number | null;
  occurrences: number;
  starts_at: string;
  ends_at: string | null;
  last_at: string;
  services: string[];
  acknowledged_by: string | null;
  silenced: boolean;
}

/** Its first line; rows follow, unless it is an error. */
export type SqlHead = { columns: SqlColumn[] } | { error: SqlFailure };

export interface SqlColumn {
  name: string;
  /** As DuckDB writes it. */
  type: string;
}

/** Also the last line, where the result is not whole. */
export interface SqlFailure {
  code: 'bad-sql' | 'sql-limit' | 'store-unavailable';
  message: string;
}
