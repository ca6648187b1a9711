import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import {
  columnDefinitions,
  columnNames,
  eventColumns,
  eventId,
  parquetRows,
  requestColumns,
} from '@logloom/column-store';
import { sqlLiteral } from '@logloom/filter';
import type { SqlJob } from './sql-job.ts';

/** The most that a statement may write beside memory. */
const spillBytes = 4e9;

/** The tables as statements see them; what only the store needs is left out. */
const views = {
  events: `SELECT ${eventId} AS id, timestamp, level, service, host, message, correlation_id, correlation_kind, trace_id, span_id,
      attributes::JSON AS attributes, received_at, partition, "offset"`,
  requests: `SELECT id, correlation_id, kind, revision, close_reason, first_at, last_at, duration_ms, event_count, error_count, severity,
      partition, first_offset, from_json(services, '["VARCHAR"]') AS services, from_json(rules, '["VARCHAR"]') AS rules,
      from_json(ids, '["VARCHAR"]') AS ids, labels::JSON AS labels, shape, document::JSON AS document`,
};

const alertColumns = {
  fingerprint: 'VARCHAR',
  rule: 'VARCHAR',
  state: 'VARCHAR',
  severity: 'VARCHAR',
  labels: 'JSON',
  message: 'VARCHAR',
  condition: 'VARCHAR',
  value: 'DOUBLE',
  occurrences: 'BIGINT',
  starts_at: 'TIMESTAMP',
  ends_at: 'TIMESTAMP',
  last_at: 'TIMESTAMP',
  services: 'VARCHAR[]',
  acknowledged_by: 'VARCHAR',
  silenced: 'BOOLEAN',
};

/**
 * A DuckDB of its own with the tables `events`, `requests` and `alerts`, which can reach nothing else: no file but the given ones, no network,
 * no extension, and no setting can be changed any more.
 */
export async function openSandbox(job: SqlJob): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${Math.floor(job.memoryBytes / 1e6)}MB`,
    threads: String(job.threads),
    temp_directory: job.temporaryFolder,
    max_temp_directory_size: `${spillBytes / 1e6}MB`,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    allow_persistent_secrets: 'false',
  });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  await createView(connection, 'events', job.events, job.recentEvents, eventColumns);
  await createView(connection, 'requests', job.requests, job.recentRequests, requestColumns);
  await connection.run(`CREATE TABLE alerts (${columnDefinitions(alertColumns)})`);
  const shape = Object.fromEntries(
    Object.entries(alertColumns).map(([name, type]) => [name, type === 'VARCHAR[]' ? ['VARCHAR'] : type]),
  );
  if (job.alerts.length > 0)
    await connection.run('INSERT INTO alerts SELECT unnest(from_json($1, $2), max_depth := 2)', [
      JSON.stringify(job.alerts),
      JSON.stringify([shape]),
    ]);
  await connection.run(`SET allowed_paths = [${job.files.map(sqlLiteral).join(', ')}]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
  return connection;
}

async function createView(
  connection: DuckDBConnection,
  name: keyof typeof views,
  relation: string | undefined,
  recentFile: string,
  columns: Readonly<Record<string, string>>,
): Promise<void> {
  const names = columnNames(columns);
  await connection.run(`CREATE TABLE recent_${name} AS SELECT ${names} FROM ${parquetRows([recentFile])}`);
  const parts = [`SELECT ${names} FROM recent_${name}`];
  if (relation !== undefined) parts.push(`SELECT ${names} FROM ${relation}`);
  await connection.run(`CREATE VIEW ${name} AS ${views[name]} FROM (${parts.join(' UNION ALL ')})`);
}
