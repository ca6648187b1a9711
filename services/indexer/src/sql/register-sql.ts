import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { alertStateJson } from '../alerts/alert-json.ts';
import type { AlertState } from '../alerts/alert-state.ts';
import { goneSignal } from '../api/api-queue.ts';
import { ApiError } from '../errors.ts';
import { RunningExports } from '../export/running-exports.ts';
import { runSql } from './run-sql.ts';
import type { AlertRow, SqlJob } from './sql-job.ts';
import { sqlTables, type SqlSource } from './sql-source.ts';

export interface SqlSettings {
  memoryBytes: number;
  limitMs: number;
  maxRows: number;
  maxBytes: number;
}

export interface SqlDeps {
  /** Undefined: the events are in Elasticsearch. */
  source: (SqlSource & { settings: SqlSettings }) | undefined;
  alerts: () => Promise<readonly AlertState[]>;
  principalOf: (request: FastifyRequest) => { name?: string | undefined };
}

const maxSqlLength = 65_536;
const threads = 2;
/** What the process takes beside what DuckDB counts. */
const processOverheadBytes = 300e6;
/** At once: each has a process. */
const mostAtOnce = 2;

/** Adds `POST /sql`: rows of one reading statement over events, requests and alerts, as NDJSON. */
export function registerSql(api: FastifyInstance, { source, alerts, principalOf }: SqlDeps): void {
  const running = new RunningExports(mostAtOnce);
  api.post('/sql', async (request, reply) => {
    const sql = sqlOf(request.body);
    if (source === undefined) throw new ApiError('sql-unavailable');
    const { settings } = source;
    const gone = goneSignal(reply.raw);
    await using owned = new AsyncDisposableStack();
    owned.defer(running.begin(principalOf(request).name ?? ''));
    const { release, ...tables } = await sqlTables(source);
    owned.defer(release);
    const job: SqlJob = { sql, ...tables, alerts: (await alerts()).map(alertRow), threads, ...settings };
    const processBytes = settings.memoryBytes + processOverheadBytes;
    const { head, rows } = await runSql(job, { limitMs: settings.limitMs, processBytes }, gone);
    if ('error' in head) {
      await rows.return(undefined);
      throw new ApiError(head.error.code, head.error.message);
    }
    const body = Readable.from(rows, { objectMode: false });
    const kept = owned.move();
    body.once('close', () => void kept.disposeAsync());
    return reply
      .header('logloom-columns', encodeURIComponent(JSON.stringify(head.columns)))
      .header(
        'logloom-limits',
        `rows=${settings.maxRows}, bytes=${settings.maxBytes}, ms=${settings.limitMs}`,
      )
      .type('application/x-ndjson')
      .send(body);
  });
}

function sqlOf(body: unknown): string {
  const { sql, ...rest } = (body ?? {}) as Record<string, unknown>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined)
    throw new ApiError('bad-parameter', `there is no field ${unknown}`, {
      parameter: unknown,
      known: ['sql'],
    });
  if (typeof sql !== 'string' || sql.length > maxSqlLength)
    throw new ApiError('bad-parameter', `sql is a text of at most ${maxSqlLength} characters`, {
      parameter: 'sql',
    });
  return sql;
}

function alertRow(alert: AlertState): AlertRow {
  const { startsAt, endsAt, lastAt } = alertStateJson(alert);
  const { fingerprint, rule, state, severity, labels, message, condition, value, occurrences } = alert;
  return {
    ...{ fingerprint, rule, state, severity, labels, message, value, occurrences },
    condition: condition === '' ? null : condition,
    starts_at: startsAt,
    ends_at: endsAt ?? null,
    last_at: lastAt,
    services: [...alert.services],
    acknowledged_by: alert.acknowledged?.author ?? null,
    silenced: alert.silencedBy.length > 0,
  };
}
